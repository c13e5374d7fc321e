"""Schedules are found in spite of jitter and missing ticks, and not where there are none."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.schedules import find

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("jitter", "missing"), [(0, 0), (0.01, 0.2), (0.04, 0.1), (0, 0.3)])
@pytest.mark.parametrize("period", [0.5, 30.0, 3_600.0])
def test_a_period_is_found(period: float, jitter: float, missing: float, seed: int) -> None:
    chance = random.Random(seed)
    ticks = [n * period + chance.gauss(0, jitter * period) for n in range(40) if chance.random() >= missing]
    found = find(ticks)
    assert found is not None
    assert found.period_s == pytest.approx(period, rel=0.01)
    assert found.jitter_s == pytest.approx(jitter * period, rel=0.6, abs=1e-6)
    assert found.ticks == len(ticks)
    assert 36 <= found.ticks + found.missed <= 44


@pytest.mark.parametrize("seed", range(200))
def test_chance_is_no_schedule(seed: int) -> None:
    chance = random.Random(seed)
    gaps: list[Callable[[], float]] = [
        lambda: chance.expovariate(1),
        lambda: chance.gammavariate(4, 1),
        lambda: chance.uniform(0.2, 5),
        lambda: chance.lognormvariate(0, 1),
    ]
    now, ticks = 0.0, []
    for _ in range(5 + seed % 60):
        now += gaps[seed % 4]()
        ticks.append(now)
    assert find(ticks) is None


def test_several_messages_of_one_tick_are_one() -> None:
    found = find([tick * 60.0 + part * 0.3 for tick in range(10) for part in range(7)])
    assert found is not None
    assert found.period_s == pytest.approx(60)
    assert (found.ticks, found.missed) == (10, 0)


@pytest.mark.parametrize("ticks", [[], [1.0], [1.0, 2.0, 3.0, 4.0], [n * 0.05 for n in range(100)], [5.0] * 50])
def test_too_few_too_fast_or_at_once_is_none(ticks: list[float]) -> None:
    assert find(ticks) is None


@given(st.lists(st.floats(0, 1e6), max_size=60))
def test_the_order_makes_no_difference(ticks: list[float]) -> None:
    assert find(ticks) == find(ticks[::-1])
