"""Schemas come from a registry once, bodies are read with them, and a registry that does not answer stops nothing."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from msgtrace_collectors.decoders.labels import Labels
from msgtrace_collectors.decoders.limits import SchemaMissing
from msgtrace_collectors.decoders.reading import UNDECODED
from msgtrace_collectors.schema_registry import SchemaRegistry
from msgtrace_collectors.schema_source import SchemaSource
from tests.collectors.decoders.chosen import chooser, value
from tests.collectors.decoders.made_messages import common_file, encoded, order_file
from tests.collectors.made_registry import Registered, registry

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = {"type": "record", "name": "shop.Address", "fields": [{"name": "city", "type": "string"}]}
USER: dict[str, Any] = {
    "type": "record", "name": "shop.User",
    "fields": [{"name": "user", "type": "string"}, {"name": "home", "type": ADDRESS}, {"name": "password", "type": ["null", "string"]}],
}  # fmt: skip
REFERRING = {**USER, "fields": [USER["fields"][0], {"name": "home", "type": "shop.Address"}, USER["fields"][2]]}
ADA = {"user": "ada", "home": {"city": "London"}, "password": None}


@pytest.fixture
def registered() -> Iterator[Registered]:
    made = Registered()
    made.add(1, "users-value", "AVRO", json.dumps(USER))
    made.add(2, "address", "AVRO", json.dumps(ADDRESS))
    made.add(3, "referring", "AVRO", json.dumps(REFERRING), ("shop.Address", "address"))
    made.add(4, "shop/common.proto", "PROTOBUF", "// shop/common.proto", descriptor=common_file().SerializeToString())
    made.add(
        5, "orders-value", "PROTOBUF", "// shop/order.proto", ("shop/common.proto", "shop/common.proto"),
        descriptor=order_file().SerializeToString(),
    )  # fmt: skip
    made.add(6, "json-value", "JSON", '{"type": "object"}')
    made.add(7, "text-only", "PROTOBUF", 'syntax = "proto3";')
    made.add(8, "hostile", "AVRO", '{"type": "array", "items": "null"}')
    with registry(made):
        yield made


def avro(number: int, value: Any, schema: Any) -> bytes:
    made = io.BytesIO()
    fastavro.schemaless_writer(made, schema, value)
    return b"\0" + number.to_bytes(4, "big") + made.getvalue()


@pytest.mark.parametrize(
    ("body", "encoding", "expected", "declared"),
    [
        (avro(1, ADA, USER), "confluent+avro", ADA, ("avro", 1, "users-value", 1, "shop.User")),
        (avro(3, ADA, USER), "confluent+avro", ADA, ("avro", 3, "referring", 1, "shop.User")),
        (b"\0\0\0\0\5\2\2" + encoded("shop.Order", order_id="7", total={"currency": "EUR"}), "confluent+protobuf",
         {"order_id": "7", "total": {"currency": "EUR"}}, ("protobuf", 5, "orders-value", 1, "shop.Order")),
        (b"\0\0\0\0\5\4\2\0" + encoded("shop.Order.Line", sku="x"), "confluent+protobuf", {"sku": "x"},
         ("protobuf", 5, "orders-value", 1, "shop.Order.Line")),
        (b"\0\0\0\0\5\0" + encoded("shop.Other", x=1), "confluent+protobuf", {"x": 1}, ("protobuf", 5, "orders-value", 1, "shop.Other")),
        (b'\0\0\0\0\6{"a": 1}', "confluent+json", {"a": 1}, ("json", 6, "json-value", 1, "")),
        (b"\0\0\0\0\7\0\x08\x01", "confluent+protobuf-wire", {"1": 1}, ("protobuf", 7, "text-only", 1, "")),
    ],
)  # fmt: skip
def test_bodies_are_read_with_registered_schemas(
    registered: Registered, body: bytes, encoding: str, expected: Any, declared: Any
) -> None:
    reading = chooser(schemas=SchemaSource(SchemaRegistry(registered.url))).read(body, Labels())
    assert (reading.encoding, value(reading), reading.content, reading.remarks) == (encoding, expected, body, ())
    assert reading.schema is not None
    told = reading.schema.schema
    assert (told.kind, told.registry_id, told.subject, told.version, reading.schema.name) == declared
    assert told.text == registered.schemas[declared[1]]["schema"]


def test_a_secret_under_a_name_that_only_the_schema_has(registered: Registered) -> None:
    secret = "hunter2-correct-horse"
    reading = chooser(schemas=SchemaSource(SchemaRegistry(registered.url))).read(
        avro(1, {**ADA, "password": secret}, USER), Labels()
    )
    assert (reading.content, reading.redacted, value(reading)["password"]) == (None, 1, "[redacted:password]")


def test_a_schema_is_asked_for_once(registered: Registered) -> None:
    asking = chooser(schemas=SchemaSource(SchemaRegistry(registered.url)))
    for _ in range(20):
        asking.read(avro(1, ADA, USER), Labels())
        asking.read(avro(99, ADA, USER), Labels())
    assert registered.asked == ["/schemas/ids/1", "/schemas/ids/1/versions", "/schemas/ids/99"]


def test_the_subject_of_the_channel_is_named(registered: Registered) -> None:
    registered.subjects["another-value"] = 1
    schema = SchemaRegistry(registered.url).schema(1, "another")
    assert (schema.subject, schema.source) == ("another-value", registered.url)


def test_a_password_is_sent_and_not_stored(registered: Registered) -> None:
    registered.password = "me:p@ss word"
    host = registered.url.removeprefix("http://")
    schema = SchemaRegistry(f"http://me:p%40ss%20word@{host}/").schema(1, None)
    assert schema.source == registered.url
    with pytest.raises(SchemaMissing, match="refuses"):
        SchemaRegistry(registered.url).schema(1, None)


@pytest.mark.parametrize(("number", "why"), [(99, "no such schema"), (8, "take no bytes")])
def test_what_is_not_there_or_can_not_be_used(registered: Registered, number: int, why: str) -> None:
    reading = chooser(schemas=SchemaSource(SchemaRegistry(registered.url))).read(
        b"\0\0\0\0" + bytes([number]) + b"\x06abc", Labels()
    )
    assert (reading.encoding, reading.document) == ("binary", None)
    assert [r.kind for r in reading.remarks] == [UNDECODED]
    assert why in reading.remarks[0].text


@pytest.mark.timeout(60)  # each question that waited for a time-out of its own would make ten minutes
@pytest.mark.parametrize("how", ["hang", "drip", "garbage", "redirect", "large"])
def test_a_registry_that_does_not_answer_stops_nothing(registered: Registered, how: str) -> None:
    registered.how = how
    asking = SchemaRegistry(registered.url)
    for number in range(1, 300):
        with pytest.raises(SchemaMissing):
            asking.schema(number, None)
    # A wrong answer is an answer.
    assert len(registered.asked) <= (299 if how == "large" else 2)


def test_nobody_is_there() -> None:
    asking = SchemaRegistry("http://127.0.0.1:9")
    for _ in range(3):
        with pytest.raises(SchemaMissing, match="does not answer"):
            asking.schema(1, None)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://x", "http://", "localhost:8081", "http://x:port"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"http|[Pp]ort"):
        SchemaRegistry(url)
