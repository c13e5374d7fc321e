"""Percentiles of what was measured, and the time that could be promised from it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.findings import Latency
from msgtrace_analysis.passes.latency import MANY, bound, latency_of, rounded_up, target_of

MS = 1_000_000


def test_percentiles() -> None:
    assert latency_of([]) is None
    assert latency_of([-1]) is None
    assert latency_of([4 * MS]) == Latency(1, 4.0, 4.0, 4.0)
    assert latency_of([each * MS for each in range(101)]) == Latency(101, 50.0, 95.0, 99.0, (37.0, 63.0), None)


def test_few_measurements_promise_nothing_and_more_promise_more() -> None:
    assert target_of([MS] * 58) is None
    half = target_of([each * MS for each in range(1, 60)])
    assert half is not None
    assert (half.ms, half.share, half.messages, half.certainty) == (59.0, 0.95, 59, "likely")
    whole = target_of([each * MS for each in range(1, 1001)])
    assert whole is not None
    assert (whole.ms, whole.share) == (1000.0, 0.99)


@given(st.floats(1e-4, 1e9))
def test_rounding_goes_up_by_a_tenth_at_most(value: float) -> None:
    assert value * 0.999999 <= rounded_up(value) <= value * 1.1000001


@pytest.mark.parametrize("many", [59, 299, 1000, 4999, 5001, 20_000])
def test_the_bound_is_above_the_quantile_as_often_as_it_says(many: int) -> None:
    place = bound(many, 0.95)
    assert place is not None
    rng = random.Random(many)
    # How many of so many values lie below the true quantile; the bound fails when `place` of them or more do.
    below = [sum(rng.random() < 0.95 for _ in range(many)) for _ in range(200 if many > MANY else 600)]
    assert sum(each < place for each in below) / len(below) >= 0.91
    # And it is not needlessly far above.
    assert place <= many * 0.95 + 4 * (many * 0.0475) ** 0.5 + 2


@given(st.integers(1, 20_000), st.sampled_from([0.95, 0.99]))
def test_the_bound_is_one_of_the_values(many: int, share: float) -> None:
    place = bound(many, share)
    assert place is None or many * share <= place <= many


@pytest.mark.parametrize("many", [8, 40, 101, 500])
def test_intervals_have_the_median_as_often_as_they_say(many: int) -> None:
    rng = random.Random(many)
    right = 0
    for _ in range(400):
        found = latency_of([round(rng.random() * 1000 * MS) for _ in range(many)])
        assert found is not None
        assert found.p50_between_ms is not None
        low, high = found.p50_between_ms
        assert low <= found.p50_ms <= high
        right += low <= 500 <= high
    assert right >= 400 * 0.97


@pytest.mark.parametrize("many", [1, 7])
def test_too_few_have_no_interval(many: int) -> None:
    found = latency_of([MS] * many)
    assert found is not None
    assert (found.p50_between_ms, found.p95_between_ms) == (None, None)
