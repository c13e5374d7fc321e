"""The folder of schemas, message types by channel, and what is said of those that can't be used."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from msgtrace_collectors.decoders.labels import Labels
from msgtrace_collectors.schema_source import SchemaSource, schema_source
from tests.collectors.decoders.chosen import chooser, value
from tests.collectors.decoders.made_messages import descriptor_set, encoded

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: Any = {"type": "record", "name": "User", "fields": [{"name": "user", "type": "string"}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("7", "users", "accounts-value"):
        (tmp_path / f"{name}.avsc").write_text(json.dumps(SCHEMA))
    (tmp_path / "shop.desc").write_bytes(descriptor_set())
    (tmp_path / "README.md").write_text("not a schema")
    return tmp_path


def source(folder: Path, **variables: str) -> SchemaSource:
    made = schema_source({"MSGTRACE_SCHEMAS": str(folder), **variables})
    assert made is not None
    return made


def datum(user: str) -> bytes:
    made = io.BytesIO()
    fastavro.schemaless_writer(made, SCHEMA, {"user": user})
    return made.getvalue()


@pytest.mark.parametrize(
    ("body", "labels", "encoding"),
    [
        (b"\0\0\0\0\7" + datum("ada"), Labels(), "confluent+avro"),
        (datum("ada"), Labels("avro/binary", channel="users"), "avro"),
        (datum("ada"), Labels(channel="users"), "avro"),
        (datum("ada"), Labels(channel="accounts"), "avro"),
    ],
)
def test_avro_by_id_subject_and_channel(folder: Path, body: bytes, labels: Labels, encoding: str) -> None:
    reading = chooser(schemas=source(folder)).read(body, labels)
    assert (reading.encoding, value(reading)) == (encoding, {"user": "ada"})
    assert reading.schema is not None
    assert reading.schema.name == "User"


def test_what_is_not_of_the_schema_of_its_channel(folder: Path) -> None:
    reading = chooser(schemas=source(folder)).read(b'{"user": "ada"}', Labels("application/json", channel="users"))
    assert (reading.encoding, reading.remarks) == ("json", ())
    reading = chooser(schemas=source(folder)).read(b"\x02a\xff\xff", Labels(channel="users"))
    assert reading.encoding == "binary"
    assert "by the schema given for its channel" in reading.remarks[0].text


@pytest.mark.parametrize(
    ("labels", "given"),
    [
        (Labels(channel="orders"), {"MSGTRACE_MESSAGE_TYPES": "other=shop.Money orders=shop.Order"}),
        (Labels("application/x-protobuf", channel="orders"), {"MSGTRACE_MESSAGE_TYPES": "orders=.shop.Order"}),
        (Labels('application/x-protobuf; messageType="shop.Order"'), {}),
        (Labels("application/protobuf", headers=[("protobuf-type", b"shop.Order")]), {}),
    ],
)
def test_protobuf_by_channel_and_label(folder: Path, labels: Labels, given: dict[str, str]) -> None:
    reading = chooser(schemas=source(folder, **given)).read(encoded("shop.Order", order_id="7"), labels)
    assert (reading.encoding, value(reading)) == ("protobuf", {"order_id": "7"})
    assert reading.schema is not None
    assert (reading.schema.schema.kind, reading.schema.name) == ("protobuf", "shop.Order")


def test_a_type_that_is_not_described_is_shown_by_number(folder: Path) -> None:
    reading = chooser(schemas=source(folder)).read(
        encoded("shop.Order", order_id="7"), Labels("application/x-protobuf; proto=a.B")
    )
    assert (reading.encoding, value(reading)) == ("protobuf-wire", {"1": "7"})


def test_nothing_given() -> None:
    assert schema_source({}) is None
    assert schema_source({"MSGTRACE_SCHEMAS": " "}) is None


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"MSGTRACE_SCHEMAS": "/nowhere"}, "can't be read"),
        ({"MSGTRACE_SCHEMA_REGISTRY": "registry:8081"}, "http://"),
        ({"MSGTRACE_MESSAGE_TYPES": "orders"}, "channel=package.Message"),
        ({"MSGTRACE_MESSAGE_TYPES": "orders=shop.Order"}, "descriptor set"),
    ],
)
def test_what_can_not_be_used(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        schema_source(variables)


def test_files_that_can_not_be_used(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"no descriptor set has shop\.Nothing"):
        source(folder, MSGTRACE_MESSAGE_TYPES="orders=shop.Nothing")
    (folder / "broken.pb").write_bytes(b"\xff\xff")
    with pytest.raises(ValueError, match=r"broken\.pb"):
        source(folder)
    (folder / "broken.pb").unlink()
    (folder / "broken.avsc").write_text("{")
    with pytest.raises(ValueError, match=r"broken\.avsc"):
        source(folder)
