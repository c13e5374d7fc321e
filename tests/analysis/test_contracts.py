"""Contracts: every sample once, what can't be read counted, bounded pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from msgtrace_analysis import bodies
from msgtrace_analysis.passes.contracts import ENOUGH, contracts

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from msgtrace_analysis.findings import Findings
    from msgtrace_analysis.study import Study
    from tests.analysis.made_trace import MadeTrace


def test_a_delivery_repeats_its_send_and_is_no_sample(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(4):
        send = made.send(channel="orders", channel_kind="topic", event_type="placed", body={"id": number})
        made.receive(send, channel="orders", channel_kind="topic", event_type="placed", body={"id": number})
    made.receive(channel="orders", channel_kind="topic", event_type="placed", body={"id": "x", "note": 1})
    (contract,) = findings().contracts
    assert (contract.samples, contract.unread) == (5, 0)
    assert {field.path: (field.types, field.present, field.of) for field in contract.fields} == {
        "id": (("integer", "string"), 5, 5),
        "note": (("integer",), 1, 5),
    }
    assert contract.schema["required"] == ["id"]
    assert contract.schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_bodies_that_cannot_be_read_are_counted(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="orders", channel_kind="topic", body={"id": 1})
    made.send(channel="orders", channel_kind="topic", body_size=500, truncated=True)
    made.send(channel="images", channel_kind="topic", body_size=70)
    found = {contract.event: contract for contract in findings().contracts}
    orders, images = found["rabbitmq/topic/orders/orders"], found["rabbitmq/topic/images/images"]
    assert (orders.samples, orders.unread, orders.certainty) == (1, 1, "guess")
    assert (images.samples, images.unread, images.fields, dict(images.schema)) == (0, 1, (), {})


@pytest.mark.parametrize(("samples", "certainty"), [(ENOUGH - 1, "guess"), (ENOUGH, "likely")])
def test_few_samples_make_a_guess(
    made: MadeTrace, findings: Callable[[], Findings], samples: int, certainty: str
) -> None:
    for _ in range(samples):
        made.send(channel="orders", channel_kind="topic", body={"id": 1})
    assert findings().contracts[0].certainty == certainty


def test_what_was_left_out_of_an_object_is_told(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    body = {"$type": "shop.Order", "lines": [{"sku": "a"}, {"$cut": 7}], "buyer": {"$type": "shop.Buyer", "$cut": True}}
    made.operation("send", "pyee", channel="pyee.EventEmitter", channel_kind="bus", routing_key="placed", body=body)
    (contract,) = findings().contracts
    assert contract.cut == 2
    assert contract.schema["x-python-class"] == ["shop.Order"]
    assert "required" not in contract.schema["properties"]["buyer"]


def test_a_change_in_time_is_one_change_however_many_services_send(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for number in range(60):
        body = {"id": number, "old": 1} if number < 30 else {"id": number}
        made.send(
            service=("one", "two")[number % 2], channel="orders", channel_kind="topic", event_type="paid", body=body
        )
    (contract,) = findings().contracts
    assert (contract.versioned_by, [each.samples for each in contract.versions]) == ("drift", [30, 30])
    assert contract.versions[0].last_seen_ns < contract.versions[1].first_seen_ns
    assert [each.verdict for each in contract.versions] == [None, "backward"]


def test_pages_make_no_difference(
    made: MadeTrace, findings: Callable[[], Findings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        service = "one" if number % 3 else "two"
        send = made.send(
            service=service, channel="orders", channel_kind="topic", body={"id": number, "x": "y" * number}
        )
        made.receive(send, service="three", channel="orders", channel_kind="topic")
    whole = findings()
    monkeypatch.setattr(bodies, "BLOCK_ROWS", 3)
    monkeypatch.setattr(bodies, "PAGE_ROWS", 6)
    monkeypatch.setattr(bodies, "PAGE_BYTES", 200)
    made._rows.clear()
    assert findings() == whole
    assert whole.contracts[0].samples == 50


def test_some_types_are_read_alone_and_say_the_same(
    made: MadeTrace, study: Callable[[], AbstractContextManager[Study]]
) -> None:
    for number in range(60):
        made.send(
            channel="a", channel_kind="topic", event_type="placed", body={"id": number, "schema_version": number // 30}
        )
        made.send(channel="b", channel_kind="topic", event_type="placed", body={"id": number, "more": True})
        made.send(
            system="kafka",
            channel="c",
            channel_kind="topic",
            event_type="paid",
            message_key=str(number),
            body={"n": number},
        )
    with study() as known:
        every = {each.event: each for each in contracts(known)}
        assert contracts(known, set()) == ()
        (paid,) = contracts(known, {"kafka/topic/c/paid"})
        both = [event for event in every if event.endswith("/placed")]
        assert contracts(known, both) == tuple(every[event] for event in both)
        wanted = "select operation_id, body_digest, body_block from operations where channel = 'c'"
        pages = list(known.bodies_of(wanted))
    assert paid == every["kafka/topic/c/paid"]
    assert sum(page.num_rows for page in pages) == 60


@pytest.mark.parametrize(
    ("header", "old", "new"),
    [
        ("schema-version", "1", "2"),
        ("x-version", "1.0", "1.1"),
        ("X-Schema-Version", "1", "2"),
        ("ce-dataschema", "https://example.com/order/1", "https://example.com/order/2"),
        ("cloudEvents:dataschema", "urn:order:1", "urn:order:2"),
        ("__value_schema_id", "5d1f", "77aa"),
    ],
)
def test_versions_that_headers_say(
    made: MadeTrace, findings: Callable[[], Findings], header: str, old: str, new: str
) -> None:
    """By turns, so that nothing but the header tells them apart."""
    for number in range(20):
        for version, body in ((old, {"id": number, "currency": "EUR"}), (new, {"id": number})):
            headers = {header: version, "ce-specversion": "1.0", "user": "x"}
            made.send(channel="orders", channel_kind="topic", event_type="placed", body=body, headers=headers)
    (contract,) = findings().contracts
    assert contract.versioned_by == f"header {header}"
    assert [(each.name, each.samples, each.verdict) for each in contract.versions] == [
        (old, 20, None),
        (new, 20, "backward"),
    ]
    assert [(each.path, each.what) for each in contract.versions[1].changes] == [("currency", "required field removed")]


def test_a_header_that_may_count_something_else_is_none_where_bodies_are_the_same(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for number in range(20):
        headers = {"x-version": str(number % 3)}
        made.send(channel="orders", channel_kind="topic", event_type="placed", body={"id": number}, headers=headers)
    (contract,) = findings().contracts
    assert (contract.versioned_by, contract.versions) == ("", ())


def test_the_only_version_that_a_header_says(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(3):
        headers = {"schema-version": "7"}
        made.send(channel="orders", channel_kind="topic", event_type="placed", body={"id": number}, headers=headers)
    (contract,) = findings().contracts
    assert contract.version_said == ("header schema-version", "7")
