"""messaging_analysis.json: the names that were asked for, and numbers that say what they count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_analysis.renderers import messaging_analysis

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def written(found: Findings) -> Any:
    return json.loads(messaging_analysis.render(found))


def test_an_empty_trace_has_numbers_and_claims_nothing(findings: Callable[[], Findings]) -> None:
    document = written(findings())
    assert document["messaging_analysis"] == {
        "technologies": [], "total_event_types": 0, "total_queues": 0, "total_subscribers": 0, "message_flows": 0,
        "retry_patterns": [], "dlq_configured": None,
    }  # fmt: skip
    assert (document["critical_flows"], document["resilience_score"]) == ([], None)


def test_numbers_and_the_flows_between_services(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for route, times in (("/orders", 2), ("/prices", 1)):
        for _ in range(times):
            trigger = made.operation(
                "trigger", "http", service="web", channel=route, channel_kind="route", routing_key="POST"
            )
            send = made.send(
                service="web", channel="orders", channel_kind="queue", event_type=route[1:], body={"id": 1}
            )
            made.cause(trigger, send)
            made.receive(send, service="mail", channel="orders", channel_kind="queue", handler="/app/m.py:1 on_order")
    inner = made.send(system="pyee", service="web", channel="bus", channel_kind="bus", event_type="tick")
    made.receive(inner, system="pyee", service="web", channel="bus", channel_kind="bus", handler="/app/w.py:1 on_tick")
    document = written(findings())
    numbers = document["messaging_analysis"]
    assert numbers["technologies"] == ["pyee", "rabbitmq"]
    assert (numbers["total_event_types"], numbers["total_queues"], numbers["total_subscribers"]) == (3, 1, 2)
    assert [(each["name"], each["messages"], each["services"]) for each in document["critical_flows"]] == [
        ("POST /orders", 2, ["mail", "web"]), ("POST /prices", 1, ["mail", "web"]),
    ]  # fmt: skip
    assert set(document["counted"]) >= {*numbers, "critical_flows", "resilience_score"}
    assert document["resilience"]["points"] == document["resilience_score"]


@pytest.mark.parametrize(
    ("arguments", "configured"), [({"x-dead-letter-exchange": "dead"}, True), ({}, False), (None, None)]
)
def test_dead_letters_are_configured_or_not_or_not_known(
    made: MadeTrace, findings: Callable[[], Findings], arguments: dict[str, str] | None, configured: bool | None
) -> None:
    settings = {"action": "declare", "durable": True, "passive": arguments is None, "arguments": arguments or {}}
    made.operation("declare", service="mail", channel="orders", channel_kind="queue", settings=settings)
    if arguments:
        made.operation("declare", service="mail", channel="dead", channel_kind="exchange",
                       settings={"action": "declare", "exchange_type": "fanout"})  # fmt: skip
        made.operation(
            "declare", service="mail", channel="dead.letters", channel_kind="queue", settings={"action": "declare"}
        )
        made.operation("declare", service="mail", channel="dead.letters", channel_kind="queue", routing_key="",
                       settings={"action": "bind", "exchange": "dead"})  # fmt: skip
    assert written(findings())["messaging_analysis"]["dlq_configured"] is configured
