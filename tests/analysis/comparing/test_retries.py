"""Retry policies: what is declared is compared exactly, what was observed by as much as it can be known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from msgtrace_analysis.comparing.retries import retries
from tests.analysis.comparing.runs import POLICY, declared, event, observed, run


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"max_attempts": 5}, ("max_attempts", "3", "5", False)),
        ({"max_attempts": None}, ("max_attempts", "3", "unlimited", False)),
        ({"initial_delay_s": 1.01}, ("initial_delay_s", "1", "1.01", False)),
        ({"then": "dropped", "then_to": None}, ("then", "dead letter to dead", "dropped", True)),
        ({"then_to": "other"}, ("then", "dead letter to dead", "dead letter to other", False)),
    ],
)
def test_declared(change: dict[str, Any], expected: tuple[Any, ...]) -> None:
    one, other = run(policies=(declared(),)), run(policies=(declared(replace(POLICY, **change)),))
    (delta,) = retries(one, other)
    assert (delta.what, delta.base, delta.head, bool(delta.breaking)) == expected
    assert (delta.subject, delta.part, delta.certainty) == ("charge", "tenacity in billing", "likely")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"initial_delay_s": 1.1}, []),
        ({"initial_delay_s": 2.0}, ["initial_delay_s"]),
        ({"max_attempts": None, "then": "unknown", "then_to": None}, []),
        ({"then": "acknowledged", "then_to": None}, ["then"]),
    ],
)
def test_observed(change: dict[str, Any], told: list[str]) -> None:
    one, other = run(policies=(observed(),)), run(policies=(observed(replace(POLICY, **change)),))
    assert [each.what for each in retries(one, other)] == told


def test_few_messages_tell_little() -> None:
    other = observed(replace(POLICY, then="dropped", then_to=None), messages=1)
    (delta,) = retries(run(policies=(observed(),)), run(policies=(other,)))
    assert (delta.what, delta.certainty, delta.breaking) == ("then", "guess", "")


def test_nothing_that_failed_says_nothing() -> None:
    (delta,) = retries(run(event(), policies=(observed(),)), run(event()))
    assert (delta.how, delta.breaking) == ("not seen", "")


def test_a_declaration_is_gone_where_its_service_runs_without_it() -> None:
    (delta,) = retries(run(event(), policies=(declared(),)), run(event()))
    assert (delta.how, delta.breaking) == ("vanished", "what fails for good is kept no more")
    (elsewhere,) = retries(run(event(), policies=(declared(service="mail"),)), run(event()))
    assert (elsewhere.how, elsewhere.breaking) == ("not seen", "")
