"""Reads CBOR (RFC 8949) with cbor2, tags without a plain meaning shown as they stand. Pure."""

from __future__ import annotations

import io
from typing import Any, Final

from msgtrace_collectors.decoders.limits import MAX_DEPTH, MAX_INPUT_BYTES, Malformed, TooMuch, Unreadable
from msgtrace_collectors.decoders.optional import optional
from msgtrace_collectors.decoders.tree import json_text

SELF_DESCRIBED: Final = b"\xd9\xd9\xf7"
# Times, decimal fractions, UUIDs and the self-description keep their meaning. Big numbers are made by us, because they
# make names whose hashes fall together; shared parts multiply; regular expressions and the rest would run code for
# nothing. https://www.iana.org/assignments/cbor-tags
_BIG: Final = (2, 3)
_AS_THEY_STAND: Final = (5, 25, 28, 29, 30, 35, 36, 43000, 256)


def cbor(body: bytes) -> bytes:
    """A body as JSON text; other tags are `{"tag": its number, "value": ...}`.

    Raises:
        Unreadable: see its kinds.
    """
    return json_text(_plain(_value(body), 0))


def begins(body: bytes) -> bool:
    """Whether a body with no label is CBOR: one that says so itself, or a map whose names are texts, to its last byte."""
    if body.startswith(SELF_DESCRIBED):
        return True
    if len(body) < 3 or not (0xA1 <= body[0] <= 0xB9 or body[0] == 0xBF):
        return False
    try:
        value = _value(body)
    except Unreadable:
        return False
    return isinstance(value, dict) and bool(value) and all(type(name) is str for name in value)


def _value(body: bytes) -> Any:
    if len(body) > MAX_INPUT_BYTES:
        raise TooMuch("larger than a body that is read value by value may be")
    cbor2 = optional("cbor2")

    def as_it_stands(number: int) -> Any:
        return lambda value, _immutable: cbor2.CBORTag(number, value)

    tags = {number: as_it_stands(number) for number in (*_BIG, *_AS_THEY_STAND)}
    try:
        # `loads` takes what stands at the beginning and leaves the rest.
        value, rest = _first(cbor2, body, tags)
    except (RecursionError, MemoryError):
        raise TooMuch("nested deeper than a body may be") from None
    except Exception as error:  # noqa: BLE001 - decoders of tags raise what they like
        if "nesting depth" in str(error):
            raise TooMuch("nested deeper than a body may be") from None
        raise Malformed("not CBOR, or cut off") from None
    if rest:
        raise Malformed("more than one value")
    return value


def _first(cbor2: Any, body: bytes, tags: dict[int, Any]) -> tuple[Any, int]:
    """The first value, and how many bytes follow it."""
    stream = io.BytesIO(body)
    value = cbor2.load(stream, semantic_decoders=tags, max_depth=MAX_DEPTH)
    return value, len(body) - stream.tell()


def _plain(value: Any, depth: int) -> Any:
    """Without the library's own types."""
    if depth > MAX_DEPTH:
        raise TooMuch("nested deeper than a body may be")
    cbor2 = optional("cbor2")
    if isinstance(value, cbor2.CBORTag):
        if value.tag in _BIG and isinstance(value.value, bytes):
            number = int.from_bytes(value.value, "big")
            return number if value.tag == 2 else -1 - number
        return {"tag": value.tag, "value": _plain(value.value, depth + 1)}
    if isinstance(value, cbor2.CBORSimpleValue):
        return {"simple": value.value}
    if value is cbor2.undefined:
        return None
    if isinstance(value, dict) or type(value) is cbor2.frozendict:
        names = {key: _plain(key, depth + 1) for key in value}
        if any(isinstance(name, dict | list) for name in names.values()):
            return [[names[key], _plain(item, depth + 1)] for key, item in value.items()]
        return {names[key]: _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in value]
    return value
