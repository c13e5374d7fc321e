"""Messages out of operations: one for each, whoever saw it, with who got it and what it follows from."""

from __future__ import annotations

from typing import Any

from msgtrace_analysis.messages.observed import Receipt, messages_of, names_of


def operation(number: int, kind: str, **fields: Any) -> dict[str, Any]:
    names = ("system", "channel", "routing_key", "message_key", "event_type", "headers", "body", "consumer_group", "handler",
             "code_function", "error_type")  # fmt: skip
    return {
        "operation_id": number, "kind": kind, "monotonic_ns": number, "body_size": 0, "outcome": "ok", "service": "s",
        **dict.fromkeys(names), **fields,
    }  # fmt: skip


def test_a_send_its_receives_and_what_follows() -> None:
    rows = [
        operation(1, "send", channel="orders", event_type="order.created", service="shop", body='{"id": 1}'),
        operation(2, "receive", channel="orders", service="billing"),
        operation(3, "process", service="billing", handler="charge", outcome="raised", error_type="ValueError"),
        operation(4, "send", channel="payments", service="billing"),
        operation(5, "receive", channel="orders", service="audit", consumer_group="g"),
    ]
    edges = [(1, 2, "link"), (1, 5, "link"), (2, 3, "cause"), (3, 4, "cause")]
    created, payment = messages_of(rows, edges)
    assert (created.name, created.body, created.service, created.ancestors) == (
        "order.created",
        {"id": 1},
        "shop",
        frozenset(),
    )
    assert created.receipts == (Receipt("billing", "charge", "", "raised", "ValueError"), Receipt("audit", "", "g"))
    assert (payment.name, payment.receipts, payment.ancestors) == ("payments", (), frozenset({1}))


def test_a_receive_whose_send_nobody_recorded_is_a_message_too() -> None:
    rows = [operation(1, "receive", channel="orders", service="billing"), operation(2, "process", handler="charge")]
    (message,) = messages_of(rows, [(99, 1, "link"), (1, 2, "cause")])
    assert (message.name, message.service) == ("orders", "")
    assert {receipt.handler for receipt in message.receipts} == {"", "charge"}


def test_causes_that_go_round_end() -> None:
    rows = [operation(1, "send", channel="a"), operation(2, "send", channel="b")]
    one, two = messages_of(rows, [(1, 2, "cause"), (2, 1, "cause")])
    assert (one.ancestors, two.ancestors) == (frozenset({2}), frozenset({1}))


def test_names() -> None:
    assert names_of("a", {"ce-type": "b", "other": "x"}, {"event_type": "c", "data": {"action": "d"}}) == [
        "a",
        "b",
        "c",
        "d",
    ]
    assert names_of(None, None, [{"type": "x"}]) == []
    assert names_of(None, {"type": 7}, {"type": ""}) == []
