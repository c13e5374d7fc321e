"""What kind of message: by name, use and the user's word, with reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_analysis.passes.kinds import Facts, Use, judge
from msgtrace_analysis.rules import NO_RULES, KindRule, Rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def facts(name: str, **given: Any) -> Facts:
    known: dict[str, Any] = {
        "named_by": "type property", "channel_kind": "topic", "publishers": frozenset({"web"}),
        "consumers": frozenset({"mail"}), "use": Use(10, 0, 0, 10),
    }  # fmt: skip
    return Facts(name=name, **(known | given))


@pytest.mark.parametrize(
    ("name", "given", "kind", "certainty"),
    [
        ("order.placed", {}, "integration event", "likely"),
        ("OrderPlaced", {"consumers": frozenset({"web"})}, "domain event", "likely"),
        ("user-joined", {"channel_kind": "bus", "consumers": frozenset({"web"})}, "domain event", "likely"),
        ("order.placed", {"publishers": frozenset()}, "integration event", "guess"),
        ("order.placed", {"consumers": frozenset()}, "integration event", "guess"),
        ("place_order", {}, "command", "likely"),
        ("PlaceOrderCommand", {"consumers": frozenset({"a", "b"})}, "command", "guess"),
        ("shop.tasks.invoice", {"named_by": "header task"}, "command", "likely"),
        ("GetPrice", {}, "query", "guess"),
        ("GetPrice", {"use": Use(10, 10, 0, 10)}, "query", "likely"),
        ("charge_card", {"use": Use(10, 10, 0, 10)}, "command", "likely"),
        ("amount", {"use": Use(10, 10, 0, 10)}, "query", "guess"),
        ("amount", {"use": Use(10, 0, 9, 10)}, "reply", "likely"),
        ("PriceResponse", {}, "reply", "guess"),
        ("heartbeat", {}, "signal", "likely"),
        ("refill", {"use": Use(10, 0, 0, 0)}, "signal", "guess"),
        ("emails", {"channel_kind": "list"}, "command", "guess"),
        ("prices", {}, "document", "guess"),
    ],
)
def test_kinds(name: str, given: dict[str, Any], kind: str, certainty: str) -> None:
    judged = judge(facts(name, **given), NO_RULES)
    assert (judged.kind, judged.certainty) == (kind, certainty)
    assert all(judged.reasons)


def test_the_users_word_is_exact() -> None:
    judged = judge(facts("order.placed"), Rules(kinds=(KindRule("order.*", "document"),)))
    assert (judged.kind, judged.certainty) == ("document", "exact")


def test_requests_and_replies_of_a_trace(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(6):
        queue: dict[str, Any] = {"channel": "", "channel_kind": "exchange"}
        asked = made.send(routing_key="prices", reply_to="amq.rabbitmq.reply-to", correlation_id=f"c{number}", **queue)
        made.receive(
            asked, service="pricing", channel="prices", channel_kind="queue", reply_to="amq.rabbitmq.reply-to",
            correlation_id=f"c{number}",
        )  # fmt: skip
        made.send(service="pricing", routing_key="amq.rabbitmq.reply-to", correlation_id=f"c{number}", **queue)
    assert {(each.address, each.judgement.kind) for each in findings().events} == {
        ("prices", "query"),
        ("amq.rabbitmq.reply-to", "reply"),
    }


def test_one_type_on_several_channels_says_where_else(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(5):
        made.send(channel="orders", channel_kind="topic", event_type="placed", body={"id": 1, "total": 2})
        made.send(
            channel="audit", channel_kind="stream", system="redis", event_type="placed", body={"id": 1, "total": 2}
        )
        made.send(channel="games", channel_kind="topic", event_type="placed", body={"x": 1, "y": 2, "piece": 3})
    also = {each.address: each.also_on for each in findings().events}
    assert also == {
        "orders": ("redis/stream/audit/placed",),
        "audit": ("rabbitmq/topic/orders/placed",),
        "games": (),
    }


def test_parameters_of_templates_are_told(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(4):
        made.send(channel=f"user.{number}", channel_kind="exchange", routing_key=f"moved.{number}f00d1234-a")
    (event,) = findings().events
    assert [(each.of, each.name, each.type, each.values) for each in event.parameters] == [
        ("channel", "user_id", "integer", 4),
        ("key", "moved_id", "hex", 4),
    ]
