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
    from collections.abc import Sequence

ENCODING: Final = "redis-stream"
"""`Message.encoding` of such a body."""
BYTES: Final = "$bytes"

_checked = msgspec.json.Decoder(msgspec.Raw).decode
encode = msgspec.json.encode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_DOCUMENT: Final = ("{", "[")
_LOOKALIKE: Final = '{"$bytes"'


def fields(items: Sequence[str | bytes], limit: int) -> tuple[dict[str, Any], int]:
    """What an entry's JSON object has in it.

    Args:
        items: field, value, field, value, ...: each as on the wire, or text of ASCII characters only.
        limit: of an entry of more bytes the beginning is kept.

    Returns:
        the object's members, for `encode`; and the bytes that the fields and values of the whole entry have, 0 if they
        are all there.
    """
    size = sum(map(len, items))
    if size > limit:
        return _cut(items, limit), size
    shown = {}
    for place in range(1, len(items), 2):
        field, value = items[place - 1], items[place]
        name = field if type(field) is str else field.decode("utf-8", "backslashreplace")  # type: ignore[union-attr]  # narrowed by exact type
        shown[name] = _value(value)
    return shown, 0


def _value(value: str | bytes) -> Any:
    if type(value) is bytes:
        text: str
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return {BYTES: base64.b64encode(value).decode()}
    else:
        text = value  # type: ignore[assignment]  # narrowed by exact type
    if text.startswith(_DOCUMENT) and not text.startswith(_LOOKALIKE):
        try:
            return _checked(text)
        except (msgspec.DecodeError, RecursionError):
            return text
    return text


def _cut(items: Sequence[str | bytes], limit: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    left = limit
    for field, value in zip(items[::2], items[1::2], strict=False):
        left -= len(field)
        if left <= 0:
            break
        name = field if isinstance(field, str) else field.decode("utf-8", "backslashreplace")
        kept[name] = _value(value) if len(value) <= left else _beginning(value[:left])
        left -= len(value)
    return kept


def _beginning(value: str | bytes) -> Any:
    """The beginning of a longer value: text if it is, but for a character that the cut went through."""
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        if error.start >= len(value) - 3 and error.reason == "unexpected end of data":
            return value[: error.start].decode()
        return {BYTES: base64.b64encode(value).decode()}


def items(body: bytes) -> list[tuple[bytes, bytes]]:
    """The fields and values of an entry, from its body: the other direction of `fields` and `encode`.

    A name that was no UTF-8 comes back with its escapes; of an entry that was cut, what is there.

    Raises:
        msgspec.DecodeError: the body is not such a JSON object.
    """
    return [(name.encode(), _wire(bytes(raw))) for name, raw in _members(body).items()]


def _wire(raw: bytes) -> bytes:
    if raw.startswith(b'"'):
        return msgspec.json.decode(raw, type=str).encode()
    if raw.startswith(_LOOKALIKE.encode()):
        return base64.b64decode(msgspec.json.decode(raw, type=dict[str, str])[BYTES])
    return raw
