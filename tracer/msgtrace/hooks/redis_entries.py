"""A stream's entry as one body: a JSON object of its fields, the same wherever the entry is seen. Pure.

A value that is itself a JSON object or array stands in it as such, character for character, so that schemas can be
read from it; every other value is a string; one that is no UTF-8 is `{"$bytes": "<base64>"}`. Of a field given twice
the last counts, as in the dictionaries that redis-py makes of entries.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ENCODING: Final = "redis-stream"
"""`Message.encoding` of such a body."""
BYTES: Final = "$bytes"

_checked = msgspec.json.Decoder(msgspec.Raw).decode
_encode = msgspec.json.encode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_LOOKALIKE: Final = b'{"$bytes"'


def body(items: Sequence[bytes], limit: int) -> tuple[bytes, int]:
    """Write an entry as JSON.

    Args:
        items: field, value, field, value, ... as on the wire.
        limit: an entry of more bytes is cut, and still JSON.

    Returns:
        the body, and the bytes that the fields and values of the whole entry have; 0 when it is not cut.
    """
    size = sum(map(len, items))
    if size <= limit:
        return _encode({_name(field): _value(value) for field, value in _pairs(items)}), 0
    return _encode(_cut(items, limit)), size


def _pairs(items: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
    return zip(items[::2], items[1::2], strict=False)


def _name(field: bytes) -> str:
    return field.decode("utf-8", "backslashreplace")


def _value(value: bytes) -> Any:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return {BYTES: base64.b64encode(value).decode()}
    if value[:1] in {b"{", b"["} and not value.startswith(_LOOKALIKE):
        try:
            return _checked(value)
        except (msgspec.DecodeError, RecursionError):
            return text
    return text


def _cut(items: Sequence[bytes], limit: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    left = limit
    for field, value in _pairs(items):
        left -= len(field)
        if left <= 0:
            break
        kept[_name(field)] = _value(value) if len(value) <= left else _beginning(value[:left])
        left -= len(value)
    return kept


def _beginning(value: bytes) -> Any:
    """The beginning of a longer value: text if it is, but for a character that the cut went through."""
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        if error.start >= len(value) - 3 and error.reason == "unexpected end of data":
            return value[: error.start].decode()
        return {BYTES: base64.b64encode(value).decode()}


def items(body: bytes) -> list[tuple[bytes, bytes]]:
    """The fields and values of an entry, from its body: the other direction of `body`.

    A name that was no UTF-8 comes back with its escapes; of an entry that was cut, what is there.

    Raises:
        msgspec.DecodeError: the body is not such a JSON object.
    """
    return [(name.encode(), _wire(bytes(raw))) for name, raw in _fields(body).items()]


def _wire(raw: bytes) -> bytes:
    if raw.startswith(b'"'):
        return msgspec.json.decode(raw, type=str).encode()
    if raw.startswith(_LOOKALIKE):
        return base64.b64decode(msgspec.json.decode(raw, type=dict[str, str])[BYTES])
    return raw
