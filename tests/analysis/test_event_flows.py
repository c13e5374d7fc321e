"""EVENT_FLOWS.json keeps to its schema, whatever is in the trace."""

from __future__ import annotations

import importlib.resources
import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema

from msgtrace_analysis.renderers import event_flows
from tests.analysis.hostile import NAMES, hostile_trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def schema() -> Any:
    return json.loads(
        importlib.resources.files("msgtrace_analysis.renderers").joinpath("event_flows.schema.json").read_text()
    )


def closed(node: Any) -> Any:
    """The schema, allowing nothing that it does not name: to find what it forgets."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    inner = {name: closed(each) for name, each in node.items()}
    return inner | {"additionalProperties": False} if "properties" in node and "required" in node else inner


def checked(text: str) -> Any:
    document = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(closed(schema())).validate(document)
    return document


def test_an_empty_trace(findings: Callable[[], Findings]) -> None:
    document = checked(event_flows.render(findings()))
    assert (document["format"], document["version"], document["flows"]) == ("msgtrace/event-flows", 1, [])


def test_flows_catalogue_and_topology(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    trigger = made.operation(
        "trigger", "http", service="web", channel="/orders", channel_kind="route", routing_key="POST"
    )
    send = made.send(
        service="web", channel="orders", channel_kind="exchange", event_type="order.placed", body={"id": 1}
    )
    made.cause(trigger, send)
    for service in ("mail", "billing"):
        made.receive(
            send, service=service, channel=f"{service}.orders", channel_kind="queue", handler="/app/x.py:1 on_order"
        )
    document = checked(event_flows.render(findings()))
    (flow,) = document["flows"]
    assert (flow["group"], flow["name"], flow["trigger"], flow["triggered"]) == (
        "web",
        "POST /orders",
        "POST /orders",
        1,
    )
    (event,) = flow["events"]
    assert (event["name"], event["publisher"], event["subscribers"]) == ("order.placed", "web", ["billing", "mail"])
    assert event["sla_ms"] is None
    assert [each["observed_p95_ms"] for each in event["deliveries"]] == [2.0, 1.0]
    (entry,) = document["event_catalog"]
    assert entry["id"] == event["event"] == "rabbitmq/exchange/orders/order.placed"
    assert entry["schema"]["properties"]["id"]["type"] == "integer"
    assert entry["evidence"]["first_seen"] == "2023-11-14T22:13:20.002000Z"
    names = [(each["kind"], each["name"]) for each in document["queue_topology"]["channels"]]
    assert names == [("exchange", "orders"), ("queue", "billing.orders"), ("queue", "mail.orders")]


def test_the_catalogue_in_words(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(40):
        made.send(
            system="kafka", service="web", channel="orders", channel_kind="topic", event_type="order.placed",
            body={"schema_version": 1 + number // 20, "id": number, "more": [1] if number // 20 else "x"},
        )  # fmt: skip
    made.operation(
        "declare", "kafka", service="web", channel="orders", channel_kind="topic",
        settings={"action": "create", "configs": {"retention.ms": "259200000"}},
    )  # fmt: skip
    (entry,) = checked(event_flows.render(findings()))["event_catalog"]
    assert (entry["schema_version"], entry["retention_days"], entry["retention_by"]) == ("2", 3.0, "retention.ms")
    assert re.fullmatch(
        r"[0-9.e+]+ per second \(95%: [0-9.e+]+ to [0-9.e+]+\)(?:, in bursts)?(?:; every .*)?", entry["frequency"]
    )
    assert [each["service"] for each in entry["producers"]] == ["web"]


def test_a_type_that_was_seen_once_has_no_rate(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="orders", channel_kind="queue", event_type="order.placed", body={"id": 1})
    made.send(channel="mails", channel_kind="queue", event_type="mail.sent", body={"id": 1})
    found = checked(event_flows.render(findings()))["event_catalog"]
    assert [(each["frequency"], each["schema_version"], each["retention_days"]) for each in found] == [
        ("once", None, None)
    ] * 2


def test_hostile_names_come_through_whole(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    document = checked(event_flows.render(findings()))
    assert {event["name"] for event in document["event_catalog"]} == set(NAMES)


def test_every_event_of_a_flow_is_in_the_catalogue(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    document = checked(event_flows.render(findings()))
    known = {event["id"] for event in document["event_catalog"]}
    assert len(known) == len(document["event_catalog"])
    assert {event["event"] for flow in document["flows"] for event in flow["events"]} <= known
