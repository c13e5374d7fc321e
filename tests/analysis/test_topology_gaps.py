"""What is declared, what a broker has, and what the traffic used, held against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.topology_values import plain_sentence
from tests.analysis.test_topology import declare

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def checks(found: Findings) -> list[tuple[str, str, str]]:
    return [(each.check, each.name, each.evidence.certainty) for each in found.topology.gaps]


def test_bindings_and_keys_by_the_rules_of_their_exchange(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    declare(made, "exchange", "orders", exchange_type="topic")
    for queue, key in (("placed", "order.*.placed"), ("all", "#"), ("paid", "order.paid")):
        declare(made, "queue", queue, arguments=None)
        declare(made, "queue", queue, "bind", exchange="orders", routing_key=key)
        made.operation("subscribe", channel=queue, channel_kind="queue", settings={"action": "consume"})
    made.send(channel="orders", channel_kind="exchange", routing_key="order.eu.placed")
    made.send(channel="orders", channel_kind="exchange", routing_key="order.placed")
    found = findings()
    assert {each.routing_key: each.used for each in found.topology.bindings} == {
        "order.*.placed": 1,
        "#": 2,
        "order.paid": 0,
    }
    assert checks(found) == [("unused binding", "orders", "exact")]


def test_a_key_that_matches_nothing(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    declare(made, "exchange", "orders", exchange_type="topic")
    declare(made, "queue", "work")
    declare(made, "queue", "work", "bind", exchange="orders", routing_key="order.placed")
    made.operation("subscribe", channel="work", channel_kind="queue", settings={"action": "consume"})
    made.send(channel="orders", channel_kind="exchange", routing_key="order.placed")
    made.send(channel="orders", channel_kind="exchange", routing_key="order.lost")
    made.send(channel="orders", channel_kind="exchange", routing_key="order.back", outcome="returned")
    arrived = made.send(channel="orders", channel_kind="exchange", routing_key="order.arrived")
    made.receive(arrived, channel="work", channel_kind="queue", routing_key="order.arrived")
    found = findings()
    assert sorted(checks(found)) == [
        ("unmatched routing key", "orders", "exact"),
        ("unmatched routing key", "orders", "guess"),
    ]
    assert {each.names for each in found.topology.gaps} == {("orders", "order.back"), ("orders", "order.lost")}


def test_what_only_the_broker_knows(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="orders", channel_kind="exchange", routing_key="a")
    made.inspected("exchange", "orders", exchange_type="fanout", durable=True)
    policy = {"dead-letter-exchange": "", "dead-letter-routing-key": "dead", "message-ttl": 500}
    work: dict[str, Any] = {"durable": True, "queue_type": "classic", "effective_policy": policy}
    made.inspected("queue", "work", **work, state={"messages": 3, "consumers": 0})
    made.inspected("queue", "dead", durable=True, queue_type="classic", state={"messages": 4, "consumers": 0})
    made.inspected("queue", "work", action="bind", routing_key="x", exchange="orders", arguments={})
    made.inspected("permission", "guest", configure="", write=".*", read=".*")
    made.inspected("broker", "rabbit@one", version="4.1", found={}, left_out={}, unreadable={})
    found = findings()
    topology = found.topology
    assert [(each.source, each.destination, each.used) for each in topology.bindings] == [("orders", "work", 1)]
    channels = {each.name: each for each in topology.channels}
    assert channels["work"].state == {"messages": 3, "consumers": 0}
    assert (channels["work"].declared_by, channels["work"].sends) == ((), 0)
    (letter,) = topology.dead_letters
    assert (letter.queue, letter.origin, letter.targets, letter.outcome) == ("work", "policy", ("dead",), "queue")
    assert [(each.server, each.version, each.inspections) for each in topology.inspections] == [("broker", "4.1", 1)]
    assert [(each.operation, each.allowed) for each in topology.permissions] == [
        ("configure", False),
        ("write", True),
        ("read", True),
    ]
    assert checks(found) == [
        ("queue without consumer", "dead", "exact"), ("queue without consumer", "work", "exact"), ("unbounded queue", "dead", "exact"),
    ]  # fmt: skip
    assert "4 messages" in plain_sentence(topology.gaps[0])
    # Nobody used it, and nothing is said of its use.
    assert not any("work" in each.names and "used" in each.sentence for each in found.observations)


def test_an_inspection_that_left_something_out_is_no_proof(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.inspected("queue", "work", durable=True, state={"messages": 0})
    made.inspected("broker", "rabbit@one", found={}, left_out={"bindings": 7}, unreadable={"consumers": "403"})
    found = findings()
    assert checks(found) == [("queue without consumer", "work", "likely")]
    assert found.topology.inspections[0].left_out == (("bindings", 7),)


def test_dead_letters_that_come_back(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    def queue(name: str, to: str, ttl: int | None = None) -> None:
        arguments: dict[str, Any] = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": to}
        declare(made, "queue", name, arguments=arguments | ({"x-message-ttl": ttl} if ttl else {}), durable=True)

    queue("one", "two", 100)
    queue("two", "one", 100)
    queue("work", "wait")
    queue("wait", "work", 100)
    queue("gone", "absent")
    made.operation("subscribe", channel="work", channel_kind="queue", settings={"action": "consume"})
    letters = {each.queue: each for each in findings().topology.dead_letters}
    assert {name: each.cycle for name, each in letters.items()} == {
        "one": "dropped", "two": "dropped", "work": "through rejection", "wait": "through rejection", "gone": "none",
    }  # fmt: skip
    assert letters["one"].way == ("one", "two")
    assert letters["gone"].outcome == "nowhere"


def test_a_message_that_was_nearly_too_old_and_a_queue_that_forgets(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    declare(made, "queue", "work", durable=False, arguments={"x-message-ttl": 100})
    sent = made.send(channel="", channel_kind="exchange", routing_key="work")
    made.receive(sent, channel="work", channel_kind="queue", delivery_mode=2, after_ns=80_000_000)
    assert checks(findings()) == [("not durable", "work", "exact"), ("short retention", "work", "exact")]


def test_kafka_topics_against_their_use(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.operation("subscribe", "kafka", channel="read", channel_kind="topic", consumer_group="g")
    made.send(system="kafka", channel="written", channel_kind="topic")
    for topic, written, copies in (("read", 0, 3), ("written", 5, 1)):
        made.inspected(
            "topic", topic, "kafka", partitions=1, replication_factor=copies, configs={}, state={"written": written}
        )
    made.inspected("topic", "read", "kafka", action="consume", consumer_group="g", consumer_tag="a", partitions=[0])
    made.inspected("topic", "read", "kafka", action="consume", consumer_group="g", consumer_tag="b", partitions=[])
    made.inspected("broker", "cluster", "kafka", found={}, left_out={}, unreadable={})
    assert checks(findings()) == [
        ("channel without producer", "read", "exact"), ("topic without consumer", "written", "likely"),
        ("few replicas", "written", "exact"), ("idle consumers", "read", "exact"),
    ]  # fmt: skip


def test_a_second_inspection_replaces_the_first(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.inspected("queue", "work", state={"messages": 1})
    made.inspected("broker", "rabbit@one", found={}, left_out={}, unreadable={})
    made.row(
        "msgtrace_store.inspected", operation_id=9, inspection_id="00000000-0000-0000-0000-000000000002", part=0,
        inspected_at="2027-01-01", system="rabbitmq", server="by-another-name", channel_kind="broker", channel="rabbit@one",
        settings='{"action": "inspect"}',
    )  # fmt: skip
    found = findings().topology
    assert found.channels == ()
    assert [(each.server, each.inspections) for each in found.inspections] == [("by-another-name", 2)]
