"""What is kept of bodies and when they were: the same however they are divided, and bounded."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.schema.timeline import MAX_KEPT, Timeline


def timeline_of(bodies: list[dict[str, Any]], start: int = 0) -> Timeline:
    timeline = Timeline()
    timeline.add_all(range(start, start + len(bodies)), bodies)
    return timeline


OLD, NEW = {"id": 1, "data": {"a": 1}}, {"id": 1, "data": {"a": 1, "b": 2}}


@given(st.lists(st.sampled_from([OLD, NEW, {}]), max_size=30), st.integers(0, 30))
def test_merging_is_the_same_however_it_is_divided(bodies: list[dict[str, Any]], at: int) -> None:
    one, two = timeline_of(bodies[:at]), timeline_of(bodies[at:], start=len(bodies[:at]))
    other = timeline_of(bodies[at:], start=len(bodies[:at]))
    other.merge(timeline_of(bodies[:at]))
    one.merge(two)
    assert one.kept == other.kept == timeline_of(bodies).kept


def test_memory_is_bounded_and_keeps_the_same_however_it_is_divided() -> None:
    timeline = timeline_of([OLD] * (5 * MAX_KEPT))
    assert len(timeline.kept) == MAX_KEPT
    apart = Timeline()
    for start in range(0, 5 * MAX_KEPT, 1_000):
        apart.merge(timeline_of([OLD] * min(1_000, 5 * MAX_KEPT - start), start))
    assert apart.kept == timeline.kept
