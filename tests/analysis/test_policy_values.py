"""Settings of retrying libraries mean what the libraries themselves do with them: held against their own numbers."""

from __future__ import annotations

import itertools
import random
from typing import Any

import backoff._wait_gen
import pytest
import stamina._core
import tenacity
from celery.utils.time import get_exponential_backoff_interval
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.hooks.tenacity import policy as recorded
from msgtrace_analysis.passes.policy_values import read

SECONDS = st.floats(0.001, 100)
DRAWS = 60


def delays(wait: Any, count: int) -> list[float]:
    """What tenacity waits before the attempts 2, 3, ..."""
    found = []
    for number in range(1, count + 1):
        state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
        state.attempt_number = number
        found.append(wait(state))
    return found


def of_tenacity(**settings: Any) -> Any:
    found = read("tenacity", recorded(tenacity.Retrying(**settings)))
    assert found is not None
    return found


@given(SECONDS, st.floats(1.1, 5), st.floats(0, 50), st.floats(51, 1000))
def test_tenacity_exponential(multiplier: float, base: float, shortest: float, longest: float) -> None:
    wait = tenacity.wait_exponential(multiplier=multiplier, exp_base=base, min=shortest, max=longest)
    found = of_tenacity(wait=wait)
    seen = delays(wait, 40)
    assert (found.kind, found.multiplier, found.jitter) == ("exponential", base, 0)
    assert found.initial_delay_s == pytest.approx(seen[0])
    assert found.max_delay_s == pytest.approx(max(seen)) or max(seen) < longest


@given(SECONDS, SECONDS, st.floats(101, 500))
def test_tenacity_linear(start: float, step: float, longest: float) -> None:
    wait = tenacity.wait_incrementing(start, step, longest)
    found = of_tenacity(wait=wait)
    seen = delays(wait, 3)
    assert (found.kind, found.step_s, found.max_delay_s) == ("linear", step, longest)
    assert found.initial_delay_s == pytest.approx(seen[0])


@pytest.mark.parametrize(
    "wait",
    [
        tenacity.wait_random(0.5, 1.5),
        tenacity.wait_fixed(2) + tenacity.wait_random(0, 1),
        tenacity.wait_random_exponential(multiplier=2, max=60),
        tenacity.wait_exponential_jitter(multiplier=1, max=30, jitter=0.5),
    ],
)
def test_tenacity_at_random(wait: Any) -> None:
    """First delays are drawn from where the policy says, and from all of it."""
    found = of_tenacity(wait=wait)
    low, high = (found.initial_delay_s * (1 + sign * found.jitter) for sign in (-1, 1))
    seen = [delays(wait, 1)[0] for _ in range(DRAWS)]
    assert low - 1e-9 <= min(seen) <= max(seen) <= high + 1e-9
    assert max(seen) - min(seen) > (high - low) / 2


@pytest.mark.parametrize(
    ("stop", "attempts"),
    [
        (tenacity.stop_after_attempt(3), 3),
        (tenacity.stop_after_attempt(5) | tenacity.stop_after_attempt(2), 2),
        (tenacity.stop_after_attempt(5) & tenacity.stop_after_attempt(2), 5),
        (tenacity.stop_after_attempt(5) | tenacity.stop_after_delay(9), 5),
        (tenacity.stop_after_attempt(5) & tenacity.stop_after_delay(9), None),
        (tenacity.stop_never, None),
        (lambda _: True, None),
    ],
)
def test_tenacity_stops(stop: Any, attempts: int | None) -> None:
    assert of_tenacity(stop=stop).max_attempts == attempts


def test_what_tenacity_is_not_told() -> None:
    assert of_tenacity().kind == "immediate"
    assert of_tenacity(wait=tenacity.wait_fixed(0)).initial_delay_s == 0
    assert of_tenacity(wait=lambda _: 1.0).kind == "unknown"
    assert of_tenacity(wait=tenacity.wait_exponential()).max_delay_s is None  # a number of years
    assert of_tenacity(retry_error_callback=print).then == "unknown"
    assert of_tenacity(wait=tenacity.wait_chain(tenacity.wait_fixed(1), tenacity.wait_fixed(5))).kind == "irregular"
    summed = of_tenacity(wait=tenacity.wait_fixed(1) + tenacity.wait_exponential(max=8))
    assert (summed.initial_delay_s, summed.multiplier, summed.max_delay_s) == (2, None, 9)


@given(SECONDS, st.floats(1.1, 4), st.floats(0, 5))
def test_stamina(initial: float, base: float, jitter: float) -> None:
    settings = {"wait_initial": initial, "wait_max": 1000.0, "wait_exp_base": base, "wait_jitter": jitter}
    found = read("stamina", {"attempts": 4, **settings})
    assert found is not None
    random.seed(1)
    seen = [stamina._core._compute_backoff(1, 1000.0, initial, base, jitter) for _ in range(DRAWS)]
    assert found.initial_delay_s is not None
    assert found.jitter is not None
    assert min(seen) >= found.initial_delay_s * (1 - found.jitter) - 1e-9
    assert max(seen) <= found.initial_delay_s * (1 + found.jitter) + 1e-9
    assert (found.kind, found.multiplier, found.max_attempts, found.then) == ("exponential", base, 4, "raised")


@given(SECONDS, st.floats(1.1, 4), st.floats(101, 1000))
def test_backoff_exponential(factor: float, base: float, longest: float) -> None:
    arguments = {"factor": factor, "base": base, "max_value": longest}
    found = read("backoff", {"wait": "expo", "arguments": arguments, "jitter": None, "max_tries": 3})
    seen = list(itertools.islice(backoff._wait_gen.expo(**arguments), 1, 300))
    assert found is not None
    assert (found.initial_delay_s, found.max_delay_s, found.multiplier) == (seen[0], max(seen), base)


def test_backoff_jitters() -> None:
    known = {"wait": "constant", "arguments": {"interval": 2}, "max_tries": 3, "raise_on_giveup": True}
    full = read("backoff", {**known, "jitter": "full_jitter"})
    added = read("backoff", {**known, "jitter": "random_jitter"})
    own = read("backoff", {**known, "jitter": "__main__.mine"})
    assert full is not None
    assert added is not None
    assert own is not None
    assert (full.initial_delay_s, full.jitter, full.max_delay_s, full.then) == (1, 1, 2, "raised")
    assert (added.initial_delay_s, added.jitter, added.max_delay_s) == (2.5, 0.2, 3)
    assert (own.kind, own.initial_delay_s) == ("unknown", None)


@given(st.integers(1, 50), st.integers(60, 5000))
def test_celery(factor: int, longest: int) -> None:
    options = {"autoretry_for": ["OSError"], "retry_backoff": factor, "retry_backoff_max": longest, "max_retries": 5}
    found = read("celery", {**options, "retry_jitter": False})
    seen = [get_exponential_backoff_interval(factor, number, longest) for number in range(20)]
    assert found is not None
    assert (found.initial_delay_s, found.max_delay_s, found.max_attempts) == (seen[0], max(seen), 6)
    assert found.multiplier == 2
    drawn = read("celery", options)
    assert drawn is not None
    assert (drawn.initial_delay_s, drawn.jitter) == (seen[0] / 2, 1)


def test_celery_tasks_that_say_nothing() -> None:
    assert read("celery", {"max_retries": 3, "default_retry_delay": 180}) is None
    own = read("celery", {"max_retries": 7, "default_retry_delay": 180})
    assert own is not None
    assert (own.kind, own.initial_delay_s, own.max_attempts) == ("fixed", 180, 8)
    forever = read("celery", {"autoretry_for": ["OSError"], "default_retry_delay": 5})
    assert forever is not None
    assert forever.max_attempts is None


def test_kombu() -> None:
    found = read("kombu", {"max_retries": 6, "interval_start": 0.5, "interval_step": 0.2, "interval_max": 3})
    assert found is not None
    assert (found.kind, found.initial_delay_s, found.step_s, found.max_delay_s) == ("linear", 0.5, 0.2, 3)
    assert found.max_attempts == 7
    same = read("kombu", {"max_retries": None, "interval_start": 1, "interval_step": 1, "interval_max": 1})
    assert same is not None
    assert (same.kind, same.initial_delay_s, same.max_attempts) == ("fixed", 1, None)


def test_an_unknown_library() -> None:
    assert read("mine", {"max_retries": 3}) is None
