"""What a message is called: what it says itself first, its channel last; judged from all messages of an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_analysis.passes.naming import HeaderSign, best_header, certainty_of
from tests.analysis.hostile import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Event, Findings
    from tests.analysis.made_trace import MadeTrace

Found = "Callable[[], Findings]"


def only(found: Findings) -> Event:
    (event,) = found.events
    return event


@pytest.mark.parametrize(
    ("columns", "name", "named_by", "certainty"),
    [
        ({"event_type": "order.placed", "routing_key": "k"}, "order.placed", "type property", "exact"),
        ({"headers": {"ce-type": "com.example.order"}}, "com.example.order", "header ce-type", "exact"),
        ({"headers": {"eventType": "placed"}, "body": {"type": "x"}}, "placed", "header eventType", "exact"),
        ({"headers": {"X-Event-Type": "placed"}}, "placed", "header X-Event-Type", "exact"),
        ({"headers": {"__TypeId__": "shop.Order"}}, "shop.Order", "header __TypeId__", "exact"),
        ({"headers": {"task": "shop.tasks.pay"}}, "shop.tasks.pay", "header task", "likely"),
        ({"body": {"eventType": "OrderPlaced", "type": "event"}}, "OrderPlaced", "body field eventType", "likely"),
        ({"body": {"action": "place", "n": 1}}, "place", "body field action", "likely"),
        ({"routing_key": "order.placed", "body": {"n": 1}}, "order.placed", "routing key", "likely"),
        ({"body": {"n": 1}}, "orders", "channel", "guess"),
    ],
)
def test_where_a_name_is_read(
    made: MadeTrace, findings: Callable[[], Findings], columns: dict[str, Any], name: str, named_by: str, certainty: str
) -> None:
    for _ in range(10):
        made.send(channel="orders", channel_kind="exchange", **columns)
    event = only(findings())
    assert (event.name, event.named_by, event.evidence.certainty) == (name, named_by, certainty)
    assert (event.address, event.sends, event.ref) == ("orders", 10, f"rabbitmq/exchange/orders/{name}")


def test_one_header_is_read_of_those_that_have_it_and_the_body_of_the_others(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for _ in range(10):
        made.send(channel="orders", channel_kind="topic", headers={"event-type": "placed"}, body={"type": "other"})
        made.send(channel="orders", channel_kind="topic", body={"type": "cancelled"})
    assert {(event.name, event.named_by, event.sends) for event in findings().events} == {
        ("placed", "header event-type", 10),
        ("cancelled", "body field type", 10),
    }


def test_a_field_with_as_many_values_as_messages_names_nothing(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for number in range(40):
        made.send(channel="orders", channel_kind="topic", body={"type": f"t{number}"})
    assert only(findings()).named_by == "channel"


def test_a_field_that_few_messages_have_names_nothing(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(20):
        made.send(channel="orders", channel_kind="topic", body={"type": "a"} if number < 10 else {"n": 1})
    assert only(findings()).named_by == "channel"


def test_a_field_with_sentences_names_nothing(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(20):
        made.send(channel="orders", channel_kind="topic", body={"action": "<b>do</b>\nit!"})
    assert only(findings()).named_by == "channel"


def test_a_routing_key_with_ids_in_it_names_by_its_template(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(100):
        made.send(channel="orders", channel_kind="exchange", routing_key=f"user.{number}.moved")
    event = only(findings())
    assert (event.name, event.named_by, event.sends) == ("user.{user_id}.moved", "routing key", 100)


def test_an_event_on_a_bus_has_its_event_name_and_a_signal_its_own(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    made.operation(
        "send", "pyee", channel="pyee.EventEmitter", channel_kind="bus", routing_key="paid", body={"type": "x"}
    )
    made.operation("send", "blinker", channel="user-joined", channel_kind="bus", body={"type": "x"})
    named = {event.name: (event.named_by, event.evidence.certainty) for event in findings().events}
    assert named == {"paid": ("event name", "exact"), "user-joined": ("signal name", "exact")}


def test_a_receive_is_named_as_its_send_was(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    send = made.send(channel="payments", channel_kind="exchange", routing_key="payment.requested")
    made.receive(send, channel="payments.work", channel_kind="queue", routing_key="dead", settings={"exchange": "dlx"})
    event = only(findings())
    assert (event.name, event.address, event.sends, event.receives) == ("payment.requested", "payments", 1, 1)


def test_a_receive_from_outside_belongs_to_the_exchange_that_it_came_through(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    made.receive(channel="work", channel_kind="queue", routing_key="paid", settings={"exchange": "payments"})
    event = only(findings())
    assert (event.name, event.address, event.channel_kind, event.publishers) == ("paid", "payments", "exchange", ())


def test_the_default_exchange_is_addressed_by_queue(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="", channel_kind="exchange", routing_key="work", body={"n": 1})
    made.receive(channel="work", channel_kind="queue", routing_key="work", settings={"exchange": ""}, body={"n": 2})
    event = only(findings())
    assert (event.address, event.channel_kind, event.sends, event.receives) == ("work", "queue", 1, 1)


def test_the_handling_of_a_receive_is_no_message_of_its_own(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    receive = made.receive(channel="work", channel_kind="queue")
    made.cause(receive, made.operation("process", channel="work", channel_kind="queue", handler="/app/w.py:3 work"))
    event = only(findings())
    assert event.receives == 1
    assert [(party.place.name, party.place.site) for party in event.consumers] == [("work", "w.py:3")]


def test_the_most_telling_header_wins_over_the_most_frequent() -> None:
    signs = [HeaderSign("type", "/type", "type", 100, 3), HeaderSign("cetype", "/ce-type", "ce-type", 90, 3)]
    best = best_header(signs)
    assert best is not None
    assert best.header == "ce-type"
    assert best_header([HeaderSign("type", "/type", "type", 100, 100)]) is None


def test_a_name_from_few_bodies_is_a_guess() -> None:
    assert certainty_of("body field type", 9) == "guess"
    assert certainty_of("body field type", 10) == "likely"


def test_bodies_and_headers_of_any_make_change_nothing_elsewhere(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for number in range(12):
        made.send(channel="clean", channel_kind="topic", body={"kind": f"order.{'placed' if number % 2 else 'paid'}"})
    for body in (
        {"type\u0000": "x", "": "y", "'; drop table operations; --": "z", "/a~1b": {"~": "w"}},
        {f"k{number}": "v" for number in range(5_000)},
        [[[[[{"type": "deep"}]]]]],
        {"type": {"type": {"type": "x"}}},
        {"type": ["order.placed"]},
        {"type": 10**400},
        {"type": "x" * 100_000},
        "type",
    ):
        for name in NAMES:
            made.send(channel="odd", channel_kind="topic", body=body, headers={name: [name], "x-event-type": name})
    found = findings()
    assert {(each.name, each.sends) for each in found.events if each.address == "clean"} == {
        ("order.placed", 6),
        ("order.paid", 6),
    }
    assert sum(each.sends for each in found.events if each.address == "odd") == 8 * len(NAMES)


def test_a_field_of_a_million_names_costs_one_sample(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="maps", channel_kind="topic", body={f"key {number}": "v" for number in range(1_000_000)})
    assert only(findings()).named_by == "channel"


def test_a_header_whose_values_shapes_go_with_names_and_says_how_sure(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for number in range(30):
        kind, body = (("joined", {"user": 1, "at": 2}), ("moved", {"x": 1, "y": 2, "z": 3}))[number % 2]
        made.send(channel="games", channel_kind="topic", headers={"x-what": kind, "tenant": "a"}, body=body)
    assert {(each.name, each.named_by, each.evidence.certainty) for each in findings().events} == {
        ("joined", "header x-what", "likely"),
        ("moved", "header x-what", "likely"),
    }


def test_regions_in_routing_keys_are_no_types_and_verbs_are(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(30):
        made.send(
            channel="orders", channel_kind="exchange", routing_key=("eu", "us", "asia")[number % 3], body={"n": 1}
        )
        made.send(channel="users", channel_kind="exchange", routing_key=("joined", "left")[number % 2], body={"n": 1})
    assert {(each.address, each.name) for each in findings().events} == {
        ("orders", "orders"),
        ("users", "joined"),
        ("users", "left"),
    }
