"""Orders in every format that the program's libraries write, and what they read back from them."""

from __future__ import annotations

import base64
import gzip
import io
import json
import pickle
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import cbor2
import cramjam
import fastavro
import msgspec

USER = {"type": "record", "name": "User", "namespace": "shop", "fields": [
    {"name": "user", "type": "string"}, {"name": "age", "type": ["null", "int"]}, {"name": "tags", "type": {"type": "map", "values": "long"}},
]}  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """A body, its labels, and the value that the program means by it."""

    encoding: str
    body: bytes
    value: Any
    content_type: str | None = None
    content_encoding: str | None = None
    shows: bool = True
    """What it is shows without labels."""


def order(name: str) -> dict[str, Any]:
    """An order of its own for each body."""
    return {
        "order": name,
        "note": "für dich",
        "items": [{"sku": "A-1", "qty": 2, "price": 9.5}],
        "paid": True,
        "coupon": None,
    }


def container(value: Any) -> bytes:
    made = io.BytesIO()
    fastavro.writer(made, USER, [value], codec="deflate")
    return made.getvalue()


def registered(value: Any) -> bytes:
    """As Confluent's serializer writes it, for schema 7."""
    made = io.BytesIO()
    fastavro.schemaless_writer(made, USER, value)
    return b"\0\0\0\0\7" + made.getvalue()


def bodies() -> list[Sent]:
    """One of each."""
    user = {"user": "ada", "age": None, "tags": {"a": 2**40}}
    made = [
        Sent("json", json.dumps(order("json")).encode(), order("json"), "application/json"),
        Sent("ndjson", b'{"n":1}\n{"n":2}\n', [{"n": 1}, {"n": 2}], "application/x-ndjson"),
        Sent("msgpack", msgspec.msgpack.encode(order("msgpack")), order("msgpack"), "application/msgpack"),
        Sent("cbor", cbor2.dumps(order("cbor")), order("cbor"), "application/cbor"),
        Sent("pickle", pickle.dumps(order("pickle")), order("pickle"), "application/x-python-serialize"),
        Sent("avro", container(user), [user], "avro/binary"),
        Sent("confluent+avro", registered(user), user),
        Sent("form", urlencode({"order": "form", "note": "für dich"}).encode(), {"order": "form", "note": "für dich"},
             "application/x-www-form-urlencoded", shows=False),
        Sent("xml", b'<order id="1"><sku>A-1</sku><sku>A-2</sku></order>', {"order": {"@id": "1", "sku": ["A-1", "A-2"]}}, "application/xml"),
        Sent("json", json.dumps({**EVENT, "data": order("event")}).encode(), {**EVENT, "data": order("event")}, "application/cloudevents+json"),
        Sent("cloudevents+cbor", json.dumps({**EVENT, "datacontenttype": "application/cbor",
             "data_base64": base64.b64encode(cbor2.dumps([1.5])).decode()}).encode(),
             {**EVENT, "datacontenttype": "application/cbor", "data": [1.5]}, "application/cloudevents+json", shows=False),
        Sent("protobuf-wire", b"\x0a\x03ada\x10\x96\x01", {"1": "ada", "2": 150}, "application/x-protobuf", shows=False),
        Sent("text", "Grüße".encode("latin-1"), "Grüße", "text/plain; charset=iso-8859-1", shows=False),
    ]  # fmt: skip
    for name, compress in COMPRESSORS.items():
        value = order(name)
        made.append(Sent(f"{name}+json", compress(json.dumps(value).encode()), value, "application/json", name))
        made.append(
            Sent(f"{name}+msgpack", compress(msgspec.msgpack.encode(value)), value, "application/msgpack", name)
        )
    return made


EVENT = {"specversion": "1.0", "id": "e1", "source": "/shop", "type": "order.placed"}
COMPRESSORS: dict[str, Any] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": lambda body: bytes(cramjam.zstd.compress(body)),
    "lz4": lambda body: bytes(cramjam.lz4.compress(body)),
    "snappy": lambda body: bytes(cramjam.snappy.compress(body)),
}


def account(sent: list[Sent]) -> None:
    """Say what was sent, in order."""
    print(json.dumps([[each.encoding, each.value] for each in sent]))
