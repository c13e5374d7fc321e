"""Policies from delays alone."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.backoff import AT_ONCE_S, fit


def samples(delays: list[float], jitter: float, seed: int, groups: int = 9) -> list[list[float]]:
    """Draws, each with the few milliseconds that a broker adds."""
    dice = random.Random(seed)
    return [
        [delay * (1 + dice.uniform(-jitter, jitter)) + dice.expovariate(1 / 0.002) for _ in range(groups)]
        for delay in delays
    ]


@given(st.floats(0.1, 5), st.integers(2, 6), st.integers(0, 99))
def test_a_fixed_delay(delay: float, attempts: int, seed: int) -> None:
    found = fit(samples([delay] * (attempts - 1), 0, seed))
    assert (found.kind, found.jitter) == ("fixed", 0.0)
    assert found.initial_s == pytest.approx(delay, rel=0.1)
    assert found.max_s == found.initial_s
    assert found.error is not None
    assert found.error < 0.15


@given(st.floats(0.1, 1), st.sampled_from([1.5, 2.0, 3.0]), st.booleans(), st.integers(0, 99))
def test_an_exponential_one_with_and_without_a_cap(initial: float, multiplier: float, capped: bool, seed: int) -> None:
    cap = initial * multiplier**2.6 if capped else 1e9
    found = fit(samples([min(initial * multiplier**place, cap) for place in range(6)], 0, seed))
    assert found.kind == "exponential"
    assert found.initial_s == pytest.approx(initial, rel=0.1)
    assert found.multiplier == pytest.approx(multiplier, rel=0.1)
    assert (found.max_s is not None) == capped
    if capped:
        assert found.max_s == pytest.approx(cap, rel=0.1)


@given(st.floats(0.1, 1), st.floats(0.6, 1.5), st.integers(0, 99))
def test_a_linear_one(initial: float, share: float, seed: int) -> None:
    found = fit(samples([initial + share * initial * place for place in range(6)], 0, seed))
    assert (found.kind, found.multiplier) == ("linear", None)
    assert found.initial_s == pytest.approx(initial, rel=0.1)
    assert found.step_s == pytest.approx(share * initial, rel=0.1)


def test_jitter_is_measured() -> None:
    found = fit(samples([1.0] * 5, 0.3, 1, groups=40))
    assert found.kind == "fixed"
    assert found.initial_s == pytest.approx(1.0, rel=0.1)
    assert found.jitter == pytest.approx(0.3, abs=0.06)


def test_what_is_no_policy() -> None:
    assert fit([]).kind == "unknown"
    assert fit([[AT_ONCE_S / 2] * 4, [AT_ONCE_S / 3] * 4]).kind == "immediate"
    assert fit([[0.5] * 5, [0.1] * 5, [3.0] * 5, [0.2] * 5]).kind == "irregular"


def test_two_models_that_fit_alike_are_both_named() -> None:
    found = fit([[0.1] * 5, [0.2] * 5])
    assert {found.kind, found.rival} == {"linear", "exponential"}
