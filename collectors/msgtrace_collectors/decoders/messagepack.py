"""Reads MessagePack with msgspec. Pure."""

from __future__ import annotations

import msgspec

from msgtrace_collectors.decoders.limits import MAX_INPUT_BYTES, Malformed, TooMuch
from msgtrace_collectors.decoders.tree import json_text

_decode = msgspec.msgpack.decode


def messagepack(body: bytes) -> bytes:
    """A body as JSON text; an extension type is `{"ext": its number, "data": ...}`.

    Raises:
        Unreadable: see its kinds.
    """
    return json_text(_value(body))


def begins(body: bytes) -> bool:
    """Whether a body with no label is MessagePack: a map whose names are texts, or an array of such maps, to its last byte.

    Other values are too short to be told from anything else.
    """
    if len(body) < 2 or not (0x81 <= body[0] <= 0x9F or body[0] in b"\xdc\xdd\xde\xdf"):
        return False
    try:
        value = _value(body)
    except (Malformed, TooMuch):
        return False
    return _named(value) or (isinstance(value, list) and bool(value) and all(map(_named, value)))


def _named(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(type(name) is str for name in value)


def _value(body: bytes) -> object:
    if len(body) > MAX_INPUT_BYTES:
        raise TooMuch("larger than a body that is read value by value may be")
    try:
        return _decode(body, ext_hook=lambda number, data: {"ext": number, "data": bytes(data)})
    except RecursionError:
        raise TooMuch("nested deeper than a body may be") from None
    except (ValueError, TypeError, OverflowError):
        raise Malformed("not MessagePack, or cut off") from None
