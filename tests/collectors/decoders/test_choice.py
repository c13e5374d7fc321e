"""What a body is read as, by label and by looks; what is remarked on; and that no secret gets past, whatever it is wrapped in."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import cbor2
import cramjam
import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders import choice, formats
from msgtrace_collectors.decoders.labels import Labels
from msgtrace_collectors.decoders.limits import Budget, SchemaMissing
from msgtrace_collectors.decoders.reading import MISLABELLED, UNDECODED, Reading
from tests.collectors.decoders.chosen import chooser, read, unredacted, value
from tests.collectors.decoders.trees import TREES, shown

if TYPE_CHECKING:
    from collections.abc import Callable

ORDER = {"order": 7, "note": "für dich", "items": [1.5, None, True]}
SCHEMA = {
    "type": "record", "name": "User",
    "fields": [{"name": "user", "type": "string"}, {"name": "password", "type": "string"}],
}  # fmt: skip


def avro(*values: Any, schema: Any = SCHEMA, codec: str = "deflate") -> bytes:
    made = io.BytesIO()
    fastavro.writer(made, schema, values, codec=codec)
    return made.getvalue()


FORMATS: dict[str, tuple[Callable[[Any], bytes], str | None]] = {
    "json": (lambda v: json.dumps(v).encode(), "application/json"),
    "msgpack": (msgspec.msgpack.encode, "application/msgpack"),
    "cbor": (cbor2.dumps, "application/cbor"),
    "pickle": (pickle.dumps, "application/x-python-serialize"),
}
WRAPPINGS: dict[str, tuple[Callable[[bytes], bytes], str | None]] = {
    "": (lambda b: b, None),
    "gzip+": (gzip.compress, "gzip"),
    "deflate+": (zlib.compress, "deflate"),
    "zstd+": (lambda b: bytes(cramjam.zstd.compress(b)), "zstd"),
    "lz4+": (lambda b: bytes(cramjam.lz4.compress(b)), "lz4"),
    "snappy+": (lambda b: bytes(cramjam.snappy.compress(b)), "snappy"),
}


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_in_every_wrapping(name: str, wrapping: str, labelled: bool) -> None:
    encode, content_type = FORMATS[name]
    wrap, coding = WRAPPINGS[wrapping]
    body = wrap(encode(ORDER))
    reading = read(body, content_type, coding) if labelled else read(body)
    assert (reading.encoding, value(reading), reading.content) == (wrapping + name, ORDER, body)
    assert [remark.kind for remark in reading.remarks] == (["hazard"] if name == "pickle" else [])


@given(TREES, st.sampled_from(sorted(FORMATS.keys() - {"json"})), st.sampled_from(sorted(WRAPPINGS)))
def test_any_value(tree: object, name: str, wrapping: str) -> None:
    encode, content_type = FORMATS[name]
    wrap, coding = WRAPPINGS[wrapping]
    assert value(read(wrap(encode(tree)), content_type, coding)) == shown(tree)


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("said", ["application/json", "application/cbor", "application/msgpack", "application/avro", "text/xml",
                                  "application/x-ndjson", "application/x-pickle"])  # fmt: skip
def test_a_wrong_content_type_is_remarked_on(name: str, said: str) -> None:
    encode, right = FORMATS[name]
    reading = read(encode(ORDER), said)
    if said == right or (name, said) in {("json", "application/x-ndjson"), ("pickle", "application/x-pickle")}:
        assert not [r for r in reading.remarks if r.kind != "hazard"]
    elif said == "application/avro":
        assert reading.remarks[0].kind in {UNDECODED, MISLABELLED}
    else:
        assert reading.encoding == name
        assert MISLABELLED in {remark.kind for remark in reading.remarks}
        assert value(reading) == ORDER


def test_what_is_cut_off_is_not_mislabelled() -> None:
    assert read(b'{"a": 1, "b', "application/json", cut=True) == Reading(
        "text", None, b'{"a": 1, "b', kept=True, text=True
    )
    assert read(b'{"a": 1, "b', "application/json").remarks[0].kind == MISLABELLED


@pytest.mark.parametrize(
    ("body", "labels", "encoding", "document"),
    [
        (b"", ("application/json",), "text", None),
        (b"hello", (), "text", None),
        (b"hello", ("application/octet-stream",), "text", None),
        (b"42", (), "text", None),
        (b"42", ("application/json",), "json", 42),
        (b"\x00\x01\x02", (), "binary", None),
        (b"\xff\xfe\xfd", (), "binary", None),
        ("grün".encode("latin-1"), ("text/plain; charset=iso-8859-1",), "text", "grün"),
        ("grün".encode("cp1252"), ("text/plain", "windows-1252"), "text", "grün"),
        ("grün".encode("utf-16"), (), "text", "grün"),
        ('{"a":"grün"}'.encode("latin-1"), ("application/json; charset=latin-1",), "json", {"a": "grün"}),
        ('{"a":"grün"}'.encode("utf-16"), ("application/json",), "json", {"a": "grün"}),
        ('{"a":"grün"}'.encode("utf-8-sig"), (), "json", {"a": "grün"}),
        (b"a=1&b=x+y", ("application/x-www-form-urlencoded",), "form", {"a": "1", "b": "x y"}),
        (b"<?xml version='1.0'?><a b='1'>x</a>", (), "xml", {"a": {"@b": "1", "#text": "x"}}),
        (b'{"a":1}\n{"a":2}\n', (), "ndjson", [{"a": 1}, {"a": 2}]),
        (b"\x08\x96\x01", ("application/x-protobuf",), "protobuf-wire", {"1": 150}),
        (b'{"a":1}', ("application/vnd.company.order.v1+json",), "json", {"a": 1}),
    ],
)  # fmt: skip
def test_labels_and_looks(body: bytes, labels: tuple[str, ...], encoding: str, document: Any) -> None:
    reading = read(body, *labels)
    assert (reading.encoding, reading.content, reading.remarks) == (encoding, body, ())
    assert (None if reading.document is None else value(reading)) == document


def test_headers_stand_for_what_the_protocol_has_no_field_for() -> None:
    body = gzip.compress(cbor2.dumps({"a": [1]}))
    reading = read(body, headers=[("Content-Type", b"application/cbor"), ("content-encoding", b"gzip")])
    assert (reading.encoding, value(reading), reading.remarks) == ("gzip+cbor", {"a": [1]}, ())


def test_an_avro_container_brings_its_schema() -> None:
    reading = read(avro({"user": "ada", "password": "x"}))
    assert value(reading) == [{"user": "ada", "password": "x"}]
    assert reading.schema is not None
    assert (reading.schema.schema.kind, reading.schema.name, reading.schema.schema.source) == ("avro", "User", "body")


SECRET = "hunter2-correct-horse"
SECRETS: dict[str, bytes] = {
    name: encode({"user": "ada", "password": SECRET}) for name, (encode, _) in FORMATS.items()
} | {
    "avro": avro({"user": "ada", "password": SECRET}),
    "form": urlencode({"user": "ada", "password": SECRET}).encode(),
    "xml": f"<login password='{SECRET}'><user>ada</user><password>{SECRET}</password></login>".encode(),
    "xml-utf16": f"<?xml version='1.0' encoding='utf-16'?><a><password>{SECRET}</password></a>".encode("utf-16"),
    "ndjson": f'{{"password":"{SECRET}"}}\n{{"password":"{SECRET}"}}'.encode(),
    "json-utf16": f'{{"password":"{SECRET}"}}'.encode("utf-16"),
    "text": f"password={SECRET} and more".encode(),
    "text-utf16": f"password={SECRET} and more".encode("utf-16"),
    "msgpack-in-array": msgspec.msgpack.encode([{"a": [{"Api-Key": SECRET}]}]),
    "pickled-object": pickle.dumps({"x": pickle.dumps, "credentials": [SECRET]}),
    "wire": b"\x0a" + bytes([len(SECRET) + 7]) + b"Bearer " + SECRET.encode(),
}  # fmt: skip
TYPES = {"form": "application/x-www-form-urlencoded", "wire": "application/x-protobuf"}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_gets_past(name: str, wrapping: str) -> None:
    body = WRAPPINGS[wrapping][0](WRAPPINGS[wrapping][0](SECRETS[name]) if wrapping else SECRETS[name])
    reading = chooser().read(body, Labels(TYPES.get(name)))
    assert reading.redacted >= 1
    assert not reading.kept
    assert reading.document is None or SECRET.encode() not in reading.document
    if wrapping:
        assert reading.content is None
    elif reading.content is not None:
        assert SECRET.encode() not in reading.content
        assert SECRET.encode("utf-16-le") not in reading.content
    if reading.document is not None:
        assert b"[redacted:" in reading.document


def test_what_was_searched_and_is_clean_is_kept_byte_for_byte() -> None:
    for encode, _ in FORMATS.values():
        for wrap, _ in WRAPPINGS.values():
            reading = chooser().read(wrap(encode(ORDER)), Labels())
            assert (reading.content, reading.kept, reading.redacted) == (wrap(encode(ORDER)), True, 0)


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(bytes(50 << 20)), gzip.compress(b"{}")[:12] + b"junk that is long enough", bytes(cramjam.zstd.compress(bytes(50 << 20))),
        b"\x80\x04" + b"(" * 300_000 + b".",
    ],
    ids=["gzip bomb", "broken gzip", "zstd bomb", "deep pickle"],
)  # fmt: skip
def test_what_could_not_be_searched_is_not_stored(body: bytes) -> None:
    reading = chooser().read(body, Labels())
    assert (reading.content, reading.document) == (None, None)
    assert [remark.kind for remark in reading.remarks] == [UNDECODED]
    assert unredacted().read(body, Labels()).content == body


def test_layers_and_the_cost_of_a_transaction_are_bounded() -> None:
    body = b"x" * 1000
    for _ in range(10):
        body = gzip.compress(body)
    assert UNDECODED in {remark.kind for remark in read(body).remarks}
    spent = chooser(budget=Budget(content_bytes=1_000_000))
    readings = [spent.read(gzip.compress(b'{"a":"%d"}' % n * 1 + b" " * 50_000), Labels()) for n in range(40)]
    assert 15 <= sum(reading.document is not None for reading in readings) <= 20
    late = chooser(budget=Budget(until=0))
    assert (
        late.read(b"\x81\xa1a\x01", Labels()).remarks[0].text.endswith("no time left for the bodies of one transaction")
    )


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from msgtrace_collectors.decoders.optional import _imported

    for name, body in {
        "cbor2": cbor2.dumps({"a": 1}),
        "cramjam": bytes(cramjam.zstd.compress(b"{}")),
        "fastavro": SECRETS["avro"],
    }.items():
        _imported.cache_clear()
        with monkeypatch.context() as missing:
            missing.setitem(sys.modules, name, None)
            reading = chooser().read(body, Labels("application/cbor" if name == "cbor2" else None))
        assert f"the library {name} is missing" in reading.remarks[0].text
        assert reading.document is reading.content is None
    _imported.cache_clear()


class _Hostile:
    """Schemas that are never there."""

    def by_id(self, number: int, channel: str | None) -> None:
        raise SchemaMissing("gone")

    def by_channel(self, channel: str) -> None:
        return None

    def message_type(self, channel: str | None, named: str | None) -> None:
        return None


CONTENT_TYPES = [
    *dict.fromkeys(formats._TYPES),
    "text/plain",
    "text/plain; charset=utf-16",
    "application/cloudevents+json",
    "",
    ";;",
]
HEADS = [b"", b"Obj\x01", b"\0\0\0\0\1", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\xff\x06\x00\x00sNaPpY", b"\x80\x04",
         b"\xd9\xd9\xf7", b"\x82SNAPPY\0", b"\x78\x9c", b"{", b'{"body_encoding":', b"<?xml", b"\xff\xfe", b'{"a":{"$bytes":"']  # fmt: skip


@given(
    st.sampled_from(HEADS), st.binary(max_size=200), st.none() | st.sampled_from(CONTENT_TYPES) | st.text(max_size=20),
    st.none() | st.sampled_from(["gzip", "zstd", "snappy", "lz4", "deflate", "utf-16", "redis-stream", "hex", "idna", "gzip, zstd"]) | st.text(max_size=10),
    st.none() | st.lists(st.tuples(st.sampled_from(["task", "id", "Content-Type", "compression", "x"]), st.text() | st.binary() | st.integers()), max_size=4),
    st.booleans(),
)  # fmt: skip
def test_whatever_comes_is_read_without_an_error(
    head: bytes, rest: bytes, content_type: str | None, coding: str | None, headers: Any, hostile: bool
) -> None:
    made = chooser(schemas=_Hostile()) if hostile else unredacted()
    reading = made.read(head + rest, Labels(content_type, coding, headers, "orders"))
    assert choice._FAILED not in reading.remarks
    if reading.document is not None:
        json.loads(reading.document)
    if reading.kept:
        assert reading.content == head + rest


@given(st.data())
def test_damaged_bodies(data: st.DataObject) -> None:
    body = bytearray(
        data.draw(st.sampled_from([*SECRETS.values(), *(wrap(SECRETS["json"]) for wrap, _ in WRAPPINGS.values())]))
    )
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    reading = chooser().read(bytes(body), Labels(data.draw(st.none() | st.sampled_from(CONTENT_TYPES))))
    assert choice._FAILED not in reading.remarks
    if reading.document is not None:
        json.loads(reading.document)
