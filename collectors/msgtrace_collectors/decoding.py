"""Reads a body's bytes as a JSON document where they are one. Pure: bytes and content type in, document out.

The place for further formats: each is a file of its own with a function from bytes to a tree of built-in types, tried
here by content type.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

JSON: Final = "json"
TEXT: Final = "text"
BINARY: Final = "binary"
OBJECT: Final = "object"
"""An in-process object, snapshotted by the tracer: nothing went over a wire."""

# Skips over the document and checks it on the way, without building it.
_checked = msgspec.json.Decoder(msgspec.Raw).decode


class Decoded(NamedTuple):
    """What a body's bytes are.

    Attributes:
        encoding: `json`, `text`, `binary`, or the format that it was decoded from.
        document: the body as JSON text; None where it has no such form.
    """

    encoding: str
    document: bytes | None


_TEXT: Final = Decoded(TEXT, None)
_BINARY: Final = Decoded(BINARY, None)
_JSON_BEGINS: Final = frozenset(b'{["')


def decode(body: bytes, content_type: str | None) -> Decoded:
    """Read a body.

    A bare number or word is JSON only when the content type says so: `42` on a Redis channel is text.

    Args:
        body: the kept bytes, redacted.
        content_type: as the message says, or None.
    """
    if (body and body[0] in _JSON_BEGINS) or body.lstrip()[:1] in {b"{", b"[", b'"'} or _says_json(content_type):
        try:
            _checked(body)
            if body.isascii() or body.decode():
                return Decoded(JSON, body)
        except (ValueError, RecursionError):
            pass  # malformed, no UTF-8, or nested deeper than any reader would follow
    if b"\0" in body:
        return _BINARY
    if body.isascii():
        return _TEXT
    try:
        body.decode()
    except UnicodeDecodeError:
        return _BINARY
    return _TEXT


def _says_json(content_type: str | None) -> bool:
    return content_type is not None and "json" in content_type.lower()
