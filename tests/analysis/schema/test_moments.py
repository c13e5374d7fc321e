"""The moments at which bodies change for good: found where they are, and none by chance."""

from __future__ import annotations

import random
from typing import Any

import pytest

from msgtrace_analysis.passes.schema.moments import moments
from tests.analysis.schema.test_timeline import NEW, OLD, timeline_of


@pytest.mark.parametrize(
    ("before", "after"),
    [(OLD, NEW), (NEW, OLD), ({"id": 1}, {"id": "x"}), ({"id": 1, "a": 1}, {"id": 1, "b": 1})],
)
def test_a_change_is_found_where_it_is(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert moments(timeline_of([before] * 30 + [after] * 20)) == [29]


def test_two_changes_are_found() -> None:
    assert moments(timeline_of([{"a": 1}] * 20 + [{"b": 1}] * 20 + [{"c": 1}] * 20)) == [19, 39]


@pytest.mark.parametrize("seed", range(20))
def test_what_comes_and_goes_is_no_change(seed: int) -> None:
    rng = random.Random(seed)
    names = [f"field_{number}" for number in range(8)]
    assert moments(timeline_of([{name: 1 for name in names if rng.random() < 0.5} for _ in range(80)])) == []


def test_a_field_that_becomes_optional_is_found_near() -> None:
    rng = random.Random(3)
    bodies = [{"id": 1, "note": 1}] * 40 + [{"id": 1, **({"note": 1} if rng.random() < 0.5 else {})} for _ in range(40)]
    (moment,) = moments(timeline_of(bodies))
    assert 39 <= moment <= 44


@pytest.mark.parametrize("seed", range(20))
def test_another_rate_is_no_other_version(seed: int) -> None:
    rng = random.Random(seed)

    def body(rate: float) -> dict[str, Any]:
        return {"id": 1, **({"note": 1} if rng.random() < rate else {})}

    mixed = [{"id": 1}, {"id": 1, "note": 1}]
    bodies = [*mixed, *(body(0.2) for _ in range(60)), *(body(0.7) for _ in range(160)), *mixed]
    assert moments(timeline_of(bodies)) == []


@pytest.mark.parametrize("seed", range(20))
def test_a_rare_field_that_is_late_by_chance_is_no_change(seed: int) -> None:
    rng = random.Random(seed)
    fields = [f"field_{number}" for number in range(30)]
    bodies = [{name: 1 for name in fields if rng.random() < 0.15} for _ in range(60)]
    assert moments(timeline_of(bodies)) == []
