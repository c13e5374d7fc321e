"""Requests over HTTP: who calls whom, folded by path, with how they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.analysis.conversing import MS, request
from tests.analysis.test_fallbacks import call

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def test_calls_are_told_by_caller_and_address(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    cause = request(made)
    for number in range(6):
        call(made, cause, 503 if number > 3 else 200, channel=f"/charges/{number}", duration_ns=(number + 1) * MS)
    made.operation(
        "call",
        "http",
        channel="/health",
        channel_kind="route",
        routing_key="GET",
        server="eu:80",
        outcome="raised",
        error_type="X",
    )
    made.operation("call", "kafka", settings={"action": "flush"})
    charged, health = findings().conversations.calls
    assert (charged.target, charged.evidence.operations) == ("POST payments:8080/charges/{charge_id}", 6)
    assert charged.because is not None
    assert charged.because.name == "POST /orders"
    assert (charged.caller.service, charged.caller.name) == ("web", "main")
    assert (charged.statuses, charged.failures) == (((200, 4), (503, 2)), (("status 503", 2),))
    assert charged.duration is not None
    assert (charged.duration.messages, charged.duration.p50_ms) == (6, 3.5)
    assert (health.target, health.because, health.duration, health.failures) == (
        "GET eu:80/health",
        None,
        None,
        (("X", 1),),
    )
    assert all("payments" not in str(server) for server in findings().stack.servers)


def test_a_server_that_found_no_number_is_told_from_the_settings(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    call(made, request(made), server=None, settings={"status": 200, "server": "shop:81"})
    (found,) = findings().conversations.calls
    assert found.target == "POST shop:81/charges/{id}"
