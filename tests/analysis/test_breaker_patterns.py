"""What circuit breakers leave in traffic is told with their numbers; what only looks like it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace_analysis.passes.breaker_patterns import Call, pattern

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

MS = 1_000_000


def guarded(threshold: int, open_ms: int, every_ms: int, outages: int, probes: int, draw: random.Random) -> list[Call]:
    """Calls that a breaker lets through: something to do every so often, and outages that some probes fail in."""
    calls: list[Call] = []
    now = 0

    def call(*, failed: bool) -> None:
        nonlocal now
        now += int(every_ms * MS * draw.uniform(0.8, 1.2))
        calls.append(Call(failed, now, now + MS // 10, len(calls)))

    for _ in range(outages):
        for _ in range(12):
            call(failed=False)
        for failure in range(threshold):
            call(failed=True)
            if failure == threshold - 1:
                now += open_ms * MS
        for _ in range(probes):
            call(failed=True)
            now += open_ms * MS
        call(failed=False)
    for _ in range(5):
        call(failed=False)
    return calls


@settings(max_examples=200)
@given(
    st.integers(2, 10), st.integers(500, 60_000), st.integers(1, 20), st.integers(2, 6), st.integers(0, 3), st.randoms()
)
def test_breakers_are_found_with_their_numbers(
    threshold: int, open_ms: int, every_ms: int, outages: int, probes: int, draw: random.Random
) -> None:
    found = pattern(guarded(threshold, open_ms, every_ms, outages, probes, draw))
    assert found is not None
    assert found.threshold == threshold
    # The probe comes with the next thing to do.
    assert open_ms / 1000 <= found.open_s <= (open_ms + 1.3 * every_ms) / 1000
    assert (found.openings, found.reopenings, found.closings) == (outages, outages * probes, outages)
    assert found.evidence.certainty == ("likely" if outages >= 3 else "guess")


def at(times: list[tuple[float, bool]]) -> list[Call]:
    return [Call(failed, int(time * 1e9), int(time * 1e9) + 1000, place) for place, (time, failed) in enumerate(times)]


def steady(start: float, count: int, every: float = 0.01) -> list[tuple[float, bool]]:
    return [(start + place * every, False) for place in range(count)]


def single_outage() -> list[tuple[float, bool]]:
    return [*steady(0, 20), *((0.2 + n * 0.01, True) for n in range(3)), *steady(5, 20)]


def retries_that_grow() -> list[tuple[float, bool]]:
    found = []
    for start in (0, 100, 200):
        found += [*steady(start, 20), *((start + 1 + 2**n, True) for n in range(4)), *steady(start + 20, 20)]
    return found


def pauses_after_one_failure() -> list[tuple[float, bool]]:
    return [each for n in range(5) for each in (*steady(n * 10, 20), (n * 10 + 0.2, True))]


def bursts_some_of_which_fail() -> list[tuple[float, bool]]:
    return [(minute * 60 + n * 0.01, minute in {3, 6}) for minute in range(9) for n in range(10)]


def failures_that_stop_nothing() -> list[tuple[float, bool]]:
    found = steady(0, 100)
    return [(time, 20 <= n < 30 or 50 <= n < 60) for n, (time, _) in enumerate(found)]


@pytest.mark.parametrize(
    "made",
    [
        single_outage,
        retries_that_grow,
        pauses_after_one_failure,
        bursts_some_of_which_fail,
        failures_that_stop_nothing,
        lambda: steady(0, 50),
        list,
    ],
)
def test_what_is_none(made: Callable[[], list[tuple[float, bool]]]) -> None:
    assert pattern(at(made())) is None


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(10, 50), st.booleans()), max_size=200))
def test_without_silence_there_is_none(steps: list[tuple[int, bool]]) -> None:
    now, times = 0.0, []
    for wait, failed in steps:
        now += wait / 1000
        times.append((now, failed))
    assert pattern(at(times)) is None
