"""Circuit breakers as libraries told of them, and as calls show them, in a trace and in the guide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.guide import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

BANK: dict[str, Any] = {"system": "pybreaker", "channel": "bank", "channel_kind": "breaker", "service": "till"}
S = 1_000_000_000


def state(made: MadeTrace, state: str, after_s: float = 0.001, failures: int | None = None) -> None:
    settings = {"action": "state", "state": state, "failures": failures}
    made.operation("call", settings=settings, after_ns=int(after_s * S), **BANK)


def test_a_declared_breaker_and_what_it_did(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    settings = {"action": "breaker", "error_threshold": 3, "reset_timeout_s": 30.0, "success_threshold": 1}
    made.operation("declare", settings=settings, handler="/app/till.py:7 charge", **BANK)
    state(made, "open", failures=3)
    made.operation("call", settings={"action": "refused"}, outcome="raised", error_type="Refused", **BANK)
    state(made, "half-open", 30.0)
    state(made, "open", failures=4)
    state(made, "half-open", 31.0)
    state(made, "closed")
    state(made, "open", 5.0, failures=3)
    found = findings()
    (breaker,) = found.breakers.breakers
    assert (breaker.library, breaker.name, breaker.service) == ("pybreaker", "bank", "till")
    assert (breaker.place.kind, breaker.place.name) == ("handler", "charge")
    assert (breaker.error_threshold, breaker.reset_timeout_s, breaker.timeout_s) == (3, 30, None)
    assert (breaker.openings, breaker.reopenings, breaker.closings, breaker.refused) == (2, 1, 1, 1)
    assert breaker.failures == (3, 3)
    assert breaker.open_s is not None
    assert [round(each, 2) for each in breaker.open_s] == [30.0, 31.0]
    assert breaker.still_open
    assert breaker.evidence.operations == 8
    assert breaker.evidence.certainty == "exact"
    guide = render(found)
    assert "| `bank` | `till` |" in guide
    assert "Error threshold" in guide
    assert not found.reliability.failures
    assert not found.topology.channels


def test_one_of_circuitbreaker_which_tells_no_half_open(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.operation("declare", settings={"action": "breaker", "error_threshold": 2}, **BANK)
    for each in ("open", "open", "closed"):
        state(made, each, 1.0)
    (breaker,) = findings().breakers.breakers
    assert (breaker.openings, breaker.reopenings, breaker.closings, breaker.still_open) == (1, 1, 1, False)
    assert breaker.open_s == (1.0, 1.0)


def test_a_breaker_of_the_programs_own(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    def send(after_s: float, outcome: str = "ok") -> None:
        made.send(channel="bank", channel_kind="queue", event_type="charge", outcome=outcome, after_ns=int(after_s * S))

    for _ in range(3):
        for _ in range(10):
            send(0.01)
        for _ in range(4):
            send(0.01, "raised")
        send(2.0, "raised")
        send(2.0)
    found = findings()
    (breaker,) = found.breakers.breakers
    assert (breaker.library, breaker.name, breaker.error_threshold) == ("", "bank", 4)
    assert breaker.reset_timeout_s is not None
    assert round(breaker.reset_timeout_s, 1) == 2.0
    assert (breaker.openings, breaker.reopenings, breaker.closings) == (3, 3, 3)
    assert breaker.evidence.certainty == "likely"
    assert "failures, silence and probes: likely" in render(found)


def test_no_breaker(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="bank", channel_kind="queue", event_type="charge")
    found = findings()
    assert not found.breakers.breakers
    assert "No circuit breaker" in render(found)
