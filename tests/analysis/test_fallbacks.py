"""A synchronous call that fails, and the message that its handler then sends instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.analysis.conversing import handle, publish, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Fallback, Findings
    from tests.analysis.made_trace import MadeTrace


def call(made: MadeTrace, cause: int, status: int | None = 200, certainty: str = "exact", **columns: Any) -> int:
    values: dict[str, Any] = {
        "service": "web", "channel": "/charges/{id}", "channel_kind": "route", "routing_key": "POST", "server": "payments:8080",
        "library": "httpx 0.28", "settings": {"status": status}, "duration_ns": 1_000, **columns,
    }  # fmt: skip
    return made.cause(cause, made.operation("call", "http", **values), certainty)


def found_in(findings: Callable[[], Findings]) -> tuple[Fallback, ...]:
    return findings().conversations.fallbacks


def test_a_message_after_failed_calls_only_is_a_fallback(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(10):
        cause = request(made)
        if number < 6:
            call(made, cause)
        elif number < 9:
            call(made, cause, 503)
            publish(made, "charge.queued", cause)
        else:
            call(made, cause, None, outcome="raised", error_type="ConnectTimeout")
            publish(made, "charge.queued", cause)
    (found,) = found_in(findings)
    assert (found.handler.name, found.call, found.name) == (
        "POST /orders",
        "POST payments:8080/charges/{id}",
        "charge.queued",
    )
    assert (found.followed, found.failed, found.otherwise, found.succeeded) == (4, 4, 0, 6)
    assert found.failures == (("ConnectTimeout", 1), ("status 503", 3))
    assert (found.evidence.operations, found.evidence.certainty) == (4, "likely")


def test_what_is_sent_either_way_is_none(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(8):
        cause = request(made)
        call(made, cause, 200 if number % 2 else 500)
        publish(made, "charge.logged", cause)
    assert found_in(findings) == ()


def test_what_is_sent_before_or_after_a_refusal_is_none(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(4):
        cause = request(made)
        publish(made, "charge.begun", cause)
        call(made, cause, 502)
    for _ in range(4):
        cause = request(made, "/other")
        call(made, cause, 404)
        publish(made, "charge.unknown", cause)
    assert found_in(findings) == ()


def test_few_or_uncertain_ones_are_guesses(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    receive = handle(made, publish(made, "order.placed"), "web")
    call(made, receive, 500, "guess")
    publish(made, "charge.queued", receive)
    (found,) = found_in(findings)
    assert (found.handler.name, found.succeeded, found.evidence.certainty) == ("on_event", 0, "guess")
