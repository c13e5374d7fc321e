"""What a message is called: what it says itself first, its channel last; judged from all messages of an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_analysis.passes.naming import HeaderSign, best_header, certainty_of

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
