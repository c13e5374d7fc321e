"""Payloads beside what an AsyncAPI document says of them, in both of its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from msgtrace_analysis.messages.conforming import check, load
from msgtrace_analysis.messages.observed import Message

if TYPE_CHECKING:
    from pathlib import Path


SCHEMAS = {
    "Order": {"type": "object", "required": ["id"], "properties": {"id": {"$ref": "#/components/schemas/Id"}}},
    "Id": {"type": "integer"},
}
ORDER = {"name": "order.created", "payload": {"$ref": "#/components/schemas/Order"}}
PAID = {
    "name": "order.paid",
    "payload": {"schemaFormat": "application/schema+json", "schema": {"required": ["amount"]}},
}
THREE = {
    "asyncapi": "3.1.0",
    "channels": {
        "orders": {"address": "shop.{tenant}.orders", "messages": {
            "created": {"$ref": "#/components/messages/OrderCreated"}, "paid": {"$ref": "#/components/messages/OrderPaid"}}},
        "alone": {"messages": {"anything": {"$ref": "#/components/messages/OrderPaid"}}},
    },
    "components": {"schemas": SCHEMAS, "messages": {"OrderCreated": ORDER, "OrderPaid": PAID}},
}  # fmt: skip
TWO = {
    "asyncapi": "2.6.0",
    "channels": {"shop.{tenant}.orders": {"publish": {"message": {"oneOf": [
        {"$ref": "#/components/messages/OrderCreated"}, {"$ref": "#/components/messages/OrderPaid"}]}}},
        "alone": {"subscribe": {"message": PAID}}},
    "components": {"schemas": SCHEMAS, "messages": {"OrderCreated": ORDER, "OrderPaid": PAID}},
}  # fmt: skip


def message(name: str, channel: str, body: Any) -> Message:
    return Message(1, name, frozenset({name, channel}), channel=channel, body=body, body_size=9)


@pytest.fixture(params=[TWO, THREE], ids=["2", "3"])
def document(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    path = tmp_path / "asyncapi.yaml"
    path.write_text(yaml.safe_dump(request.param))
    return load(path)


def test_what_conforms(document: Any) -> None:
    fine = [
        message("order.created", "shop.7.orders", {"id": 1}),
        message("order.paid", "shop.7.orders", {"amount": 1}),
        message("whatever", "alone", {"amount": 1}),  # its channel has one message only
    ]
    assert check(document, fine, strict=True) == (fine, [])


@pytest.mark.parametrize(
    ("name", "channel", "body", "words"),
    [
        ("order.created", "shop.7.orders", {"id": "x"}, ".id: 'x' is not of type 'integer'"),
        ("order.created", "shop.7.orders", {}, "payload: 'id' is a required property"),
        ("order.created", "shop.7.orders", None, "9 bytes could not be decoded"),
        ("order.paid", "shop.7.orders", {}, "'amount' is a required property"),
        ("order.lost", "shop.7.orders", {}, "no message of this name"),
        ("order.lost", "alone", {}, "'amount' is a required property"),
    ],
)
def test_what_does_not(document: Any, name: str, channel: str, body: Any, words: str) -> None:
    _, (problem,) = check(document, [message(name, channel, body)], strict=False)
    assert words in problem
    assert f"{name} on {channel}" in problem


def test_what_the_document_says_nothing_of(document: Any) -> None:
    other = message("x", "elsewhere", {})
    assert check(document, [other], strict=False) == ([], [])
    assert "no such channel" in check(document, [other], strict=True)[1][0]


@pytest.mark.parametrize("text", ["", "a: [", "openapi: 3.1.0", "asyncapi: 1.2.0", "[]"])
def test_what_is_no_document(tmp_path: Path, text: str) -> None:
    path = tmp_path / "asyncapi.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match="asyncapi.yaml"):
        load(path)
    with pytest.raises(ValueError, match="nowhere"):
        load(tmp_path / "nowhere.yaml")


def test_references_that_lead_nowhere_or_round(tmp_path: Path) -> None:
    path = tmp_path / "asyncapi.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "asyncapi": "3.0.0",
                "channels": {"a": {"$ref": "#/channels/a"}, "b": {"messages": {"m": {"$ref": "#/x"}}}},
            }
        )
    )
    assert check(load(path), [message("m", "b", 1)], strict=False)[1] == []
