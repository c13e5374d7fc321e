"""Which format a content type names. One table."""

from __future__ import annotations

from typing import Final

JSON: Final = "json"
LINES: Final = "ndjson"
MESSAGEPACK: Final = "msgpack"
CBOR: Final = "cbor"
AVRO: Final = "avro"
PROTOBUF: Final = "protobuf"
PROTOBUF_WIRE: Final = "protobuf-wire"
PICKLE: Final = "pickle"
FORM: Final = "form"
XML: Final = "xml"
TEXT: Final = "text"
BINARY: Final = "binary"

_TYPES: Final[dict[str, str]] = {
    "application/json": JSON, "text/json": JSON, "application/x-json": JSON,
    "application/x-ndjson": LINES, "application/ndjson": LINES, "application/jsonl": LINES, "application/jsonlines": LINES,
    "application/x-jsonlines": LINES, "application/json-seq": LINES,
    "application/msgpack": MESSAGEPACK, "application/x-msgpack": MESSAGEPACK, "application/vnd.msgpack": MESSAGEPACK,
    "application/messagepack": MESSAGEPACK, "msgpack": MESSAGEPACK,
    "application/cbor": CBOR, "application/x-cbor": CBOR,
    "application/avro": AVRO, "avro/binary": AVRO, "application/vnd.apache.avro": AVRO, "application/x-avro": AVRO,
    "application/avro-binary": AVRO, "application/vnd.kafka.avro.v2": AVRO,
    "application/protobuf": PROTOBUF, "application/x-protobuf": PROTOBUF, "application/vnd.google.protobuf": PROTOBUF,
    "application/x-google-protobuf": PROTOBUF, "application/vnd.google.octet-stream-compressible": PROTOBUF,
    "application/x-python-serialize": PICKLE, "application/x-pickle": PICKLE, "application/python-pickle": PICKLE,
    "application/x-python-pickle": PICKLE, "application/pickle": PICKLE, "pickle": PICKLE,
    "application/x-www-form-urlencoded": FORM,
    "application/xml": XML, "text/xml": XML, "application/soap+xml": XML,
}  # fmt: skip
_SUFFIXES: Final[dict[str, str]] = {
    "json": JSON, "msgpack": MESSAGEPACK, "cbor": CBOR, "avro": AVRO, "protobuf": PROTOBUF, "proto": PROTOBUF, "xml": XML,
    "json-seq": LINES,
}  # fmt: skip


def named(media_type: str) -> str | None:
    """The format that a content type, written small and without parameters, names; None where it names none."""
    found = _TYPES.get(media_type)
    if found is None and "+" in media_type:
        found = _SUFFIXES.get(media_type.rpartition("+")[2])
    # Whoever writes `vnd.company.json` means JSON too.
    return JSON if found is None and "json" in media_type else found
