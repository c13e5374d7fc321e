"""Intervals hold the true mean as often as they say."""

from __future__ import annotations

import random

import pytest

from msgtrace_analysis.passes.intervals import is_overdispersed, overdispersed, poisson


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # Garwood's limits, as tables have them.
    [(0, 0, 3.6889), (1, 0.0253, 5.5716), (5, 1.6235, 11.6683), (50, 37.1110, 65.9188), (100, 81.3640, 121.6270)],
)
def test_exact_limits(count: int, low: float, high: float) -> None:
    found = poisson(count)
    assert found[0] == pytest.approx(low, abs=2e-4)
    assert found[1] == pytest.approx(high, abs=2e-3)


def test_limits_go_on_where_the_search_ends() -> None:
    for count in range(90, 120):
        lower, upper = poisson(count), poisson(count + 1)
        assert lower[0] < upper[0] < upper[1]
        assert lower[1] < upper[1]


@pytest.mark.parametrize("mean", [0.7, 4.0, 30.0])
def test_nineteen_of_twenty_hold_the_mean(mean: float) -> None:
    chance = random.Random(1)
    held = 0
    for _ in range(1_000):
        count, left = 0, chance.expovariate(mean)
        while left < 1:
            count += 1
            left += chance.expovariate(mean)
        low, high = poisson(count)
        held += low <= mean <= high
    assert held >= 940


def test_what_comes_in_bursts_is_less_sure() -> None:
    assert overdispersed(100, 9.0)[1] - overdispersed(100, 9.0)[0] > 2.5 * (poisson(100)[1] - poisson(100)[0])
    assert is_overdispersed(3.0, 30)
    assert not is_overdispersed(1.2, 30)
