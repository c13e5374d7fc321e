"""Flows: what a trigger is followed by, message by message, with counts, certainty and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Latency, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings, Flow
    from tests.analysis.made_trace import MadeTrace

MS = 1_000_000


def request(made: MadeTrace, path: str = "/orders", method: str = "POST") -> int:
    return made.operation("trigger", "http", service="web", channel=path, channel_kind="route", routing_key=method)


def publish(made: MadeTrace, name: str, cause: int | None = None, certainty: str = "exact", **columns: object) -> int:
    values = {"service": "web", "channel": "events", "channel_kind": "topic", "event_type": name, **columns}
    send = made.send(**values)
    if cause is not None:
        made.cause(cause, send, certainty)
    return send


def handle(made: MadeTrace, send: int | None, handler: str, certainty: str = "exact", **columns: object) -> int:
    values = {
        "service": "mail",
        "channel": "events",
        "channel_kind": "topic",
        "handler": f"/app/m.py:1 {handler}",
        **columns,
    }
    return made.receive(send, certainty, **values)


def steps(flow: Flow) -> list[tuple[str, str | None, int, int, list[tuple[str, int]]]]:
    return [
        (
            step.name,
            None if step.because is None else step.because.name,
            step.messages,
            step.after,
            [(each.place.name, each.messages) for each in step.deliveries],
        )
        for step in flow.steps
    ]


def test_two_requests_through_one_handler_are_two_flows(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for path, times in (("/orders", 3), ("/refunds", 1)):
        for _ in range(times):
            receive = handle(made, publish(made, f"changed {path}", request(made, path)), "on_change")
            handle(made, publish(made, "told", receive, service="mail"), "on_told", service="desk")
    orders, refunds = findings().flows
    assert (orders.name, orders.group, orders.triggered, orders.silent) == ("POST /orders", "web", 3, 0)
    assert steps(orders) == [
        ("changed /orders", "POST /orders", 3, 3, [("on_change", 3)]),
        ("told", "on_change", 3, 3, [("on_told", 3)]),
    ]
    assert steps(refunds) == [
        ("changed /refunds", "POST /refunds", 1, 1, [("on_change", 1)]),
        ("told", "on_change", 1, 1, [("on_told", 1)]),
    ]
    assert [step.depth for step in orders.steps] == [1, 2]


def test_branches_are_counted_by_trigger(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(4):
        trigger = request(made)
        if number < 3:
            publish(made, "line", trigger)
            publish(made, "line", trigger)
        if number == 0:
            publish(made, "late", trigger)
    (flow,) = findings().flows
    assert (flow.triggered, flow.silent) == (4, 1)
    assert {(step.name, step.messages, step.after, step.unreceived) for step in flow.steps} == {
        ("line", 6, 3, 6),
        ("late", 1, 1, 1),
    }


def test_what_a_program_sends_by_itself_is_one_flow_a_function(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    publish(made, "a", site="/app/tick.py:3 tick")
    publish(made, "b", site="/app/tick.py:4 tick")
    publish(made, "c", site="/app/other.py:4 tick")
    other, tick = findings().flows
    assert (tick.trigger, tick.triggered) == (Place("code", "web", "tick", "tick.py"), 2)
    assert steps(tick) == [("a", None, 1, 1, []), ("b", None, 1, 1, [])]
    assert steps(other) == [("c", None, 1, 1, [])]


def test_a_message_from_outside_begins_a_flow_even_if_nothing_follows(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    handle(made, None, "on_price", event_type="price")
    publish(made, "tag", handle(made, None, "on_price", event_type="price"), service="mail")
    (flow,) = findings().flows
    assert (flow.trigger.kind, flow.trigger.name, flow.arrives) == (
        "outside",
        "on_price",
        "rabbitmq/topic/events/price",
    )
    assert (flow.name, flow.triggered, flow.silent) == ("price from outside the trace", 2, 1)
    assert steps(flow) == [("tag", "on_price", 1, 1, [])]


def test_an_opened_connection_is_a_trigger_where_something_follows(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    made.operation("connect", "websocket", channel="/feed", channel_kind="connection")
    opened = made.operation("connect", "websocket", channel="/feed", channel_kind="connection")
    publish(made, "hello", opened, system="websocket", channel="/feed", channel_kind="connection")
    (flow,) = findings().flows
    assert (flow.trigger.kind, flow.name, flow.triggered) == ("connection", "connection /feed", 1)
    assert steps(flow) == [("hello", "connection /feed", 1, 1, [])]


def test_certainty_is_the_weakest_of_cause_and_link(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    likely = publish(made, "a", request(made), "likely")
    handle(made, likely, "on_a")
    handle(made, publish(made, "b", request(made, "/b")), "on_b", "guess")
    first, second = findings().flows
    assert (first.steps[0].evidence.certainty, first.steps[0].deliveries[0].certainty) == ("exact", "guess")
    assert (second.steps[0].evidence.certainty, second.steps[0].deliveries[0].certainty) == ("likely", "exact")
    assert (first.evidence.certainty, second.evidence.certainty) == ("guess", "likely")


def test_only_the_best_causes_count(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    sure, doubtful = request(made, "/sure"), request(made, "/doubtful")
    made.cause(doubtful, publish(made, "a", sure), "guess")
    flows = {flow.name: (len(flow.steps), flow.silent) for flow in findings().flows}
    assert flows == {"POST /sure": (1, 0), "POST /doubtful": (0, 1)}


def test_a_batch_of_candidates_with_one_handler_is_one_step(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    batch = [handle(made, publish(made, "in", request(made)), "on_batch") for _ in range(3)]
    out = publish(made, "out", service="mail")
    for receive in batch:
        made.cause(receive, out, "guess")
    (flow,) = findings().flows
    assert steps(flow)[1] == ("out", "on_batch", 1, 3, [])
    assert flow.steps[1].evidence.certainty == "guess"


def test_repeated_receives_are_told_apart_and_the_first_counts_for_time(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    send = publish(made, "a", request(made))
    handle(made, send, "on_a", after_ns=5 * MS)
    handle(made, send, "on_a", after_ns=900 * MS)
    (delivery,) = findings().flows[0].steps[0].deliveries
    assert (delivery.messages, delivery.receives, delivery.latency) == (1, 2, Latency(1, 5.0, 5.0, 5.0))


def test_between_machines_wall_clocks_count_and_a_time_below_zero_does_not(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    made.process("mail", host="elsewhere")
    for lead_ms in (3, -3):
        send = publish(made, "a", request(made))
        made.receive(
            send,
            service="mail",
            channel="events",
            channel_kind="topic",
            after_ns=MS,
            monotonic_ns=1,
            observed_at=made.now_ns + (1 + lead_ms) * MS,
        )
    (delivery,) = findings().flows[0].steps[0].deliveries
    assert (delivery.messages, delivery.latency) == (2, Latency(1, 4.0, 4.0, 4.0))


def test_traffic_counts_every_message_once_whatever_flows_it_is_in(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    out = publish(made, "a", request(made))
    made.cause(request(made, "/b"), out)
    handle(made, out, "on_a")
    handle(made, out, "on_a")
    publish(made, "b")
    handle(made, None, "on_c", event_type="c")
    assert [(each.source, each.target, each.name, each.messages, each.receives) for each in findings().traffic] == [
        ("web", "mail", "a", 1, 2),
        ("web", None, "b", 1, 0),
        (None, "mail", "c", 1, 1),
    ]
