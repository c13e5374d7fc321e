"""Topology as declared and as used, and where the two differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def declare(made: MadeTrace, kind: str, name: str, action: str = "declare", **settings: Any) -> int:
    columns = {each: settings.pop(each) for each in ("routing_key", "outcome", "service") if each in settings}
    return made.operation(
        "declare", channel=name, channel_kind=kind, settings={"action": action, **settings}, **columns
    )


def test_channels_with_every_form_of_their_declaration(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    declare(made, "queue", "work", service="a", durable=True, message_count=3, arguments=None)
    declare(made, "queue", "work", service="b", durable=True, message_count=4)
    declare(made, "queue", "work", service="b", durable=False)
    declare(made, "queue", "work", "purge")
    made.receive(channel="work", channel_kind="queue")
    (work,) = findings().topology.channels
    assert (work.declared_by, work.actions, work.sends, work.receives) == (("a", "b"), ("purge",), 0, 1)
    assert work.settings == ({"durable": False}, {"durable": True})


def test_what_was_used_and_never_declared(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="orders", channel_kind="exchange", routing_key="placed")
    found = findings()
    (orders,) = found.topology.channels
    assert (orders.declared_by, orders.settings, orders.sends) == ((), (), 1)
    assert any("not declared" in each.sentence for each in found.observations)


def test_a_declaration_that_failed_declared_nothing(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    declare(made, "queue", "work", outcome="raised")
    assert findings().topology.channels == ()


def test_bindings_and_dead_letters(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    arguments = {"x-dead-letter-exchange": "retry", "x-message-ttl": 150}
    declare(made, "queue", "work", arguments=arguments)
    declare(made, "queue", "work", "bind", exchange="orders", routing_key="order.*")
    declare(made, "exchange", "audit", "bind", source="orders", routing_key="#")
    topology = findings().topology
    assert [(each.source, each.routing_key, each.destination_kind, each.destination) for each in topology.bindings] == [
        ("orders", "#", "exchange", "audit"),
        ("orders", "order.*", "queue", "work"),
    ]
    (letter,) = topology.dead_letters
    assert (letter.queue, letter.exchange, letter.routing_key, letter.time_to_live) == ("work", "retry", None, "150")
    assert (letter.origin, letter.outcome, letter.reasons) == ("declaration", "unknown", ("rejected", "expired"))


def test_subscriptions_with_handlers_and_groups(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.operation(
        "subscribe",
        channel="work",
        channel_kind="queue",
        handler="/app/w.py:5 work",
        settings={"action": "consume", "no_ack": True},
    )
    made.operation("subscribe", channel="work", channel_kind="queue", settings={"action": "cancel"})
    made.operation("subscribe", "kafka", channel="orders", channel_kind="topic", consumer_group="billing")
    made.operation(
        "subscribe", "kafka", consumer_group="billing", settings={"action": "rebalance", "protocol": "range"}
    )
    topology = findings().topology
    assert [(each.system, each.channel, each.group, each.settings) for each in topology.subscriptions] == [
        ("kafka", "orders", "billing", ()),
        ("rabbitmq", "work", None, ({"no_ack": True},)),
    ]
    assert [(place.name, place.site) for place in topology.subscriptions[1].handlers] == [("work", "w.py:5")]
    assert [(each.action, each.settings) for each in topology.limits] == [("rebalance", {"protocol": "range"})]
