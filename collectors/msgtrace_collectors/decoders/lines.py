"""Reads JSON and newline-delimited JSON, character for character: what stands in a body stands in its document. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from msgtrace_collectors.decoders.limits import Malformed

_BEGINS: Final = frozenset(b'{["')
# Skips over the document and checks it on the way, without building it.
_checked = msgspec.json.Decoder(msgspec.Raw).decode


def is_json(body: bytes, *, said: bool = False) -> bool:
    """Whether a body is JSON in UTF-8.

    A bare number or word is JSON only when something says so: `42` on a Redis channel is text.

    Args:
        body: the bytes.
        said: a label says that it is JSON.
    """
    if (body and body[0] in _BEGINS) or said or body.lstrip()[:1] in {b"{", b"[", b'"'}:
        try:
            _checked(body)
            return body.isascii() or bool(body.decode())
        except (ValueError, RecursionError):
            pass  # malformed, no UTF-8, or nested deeper than any reader would follow
    return False


def json_lines(body: bytes, *, said: bool = False) -> bytes:
    """Newline-delimited JSON (also RFC 7464's sequences) as a JSON array of its lines.

    Args:
        body: the bytes.
        said: a label says that it is; otherwise each line must be an object or an array, and there must be two.

    Raises:
        Malformed: it is not.
    """
    lines = [line.strip(b"\x1e \t\r") for line in body.split(b"\n")]
    lines = [line for line in lines if line]
    if not lines or (not said and (len(lines) < 2 or any(line[0] not in b"{[" for line in lines))):
        raise Malformed("not newline-delimited JSON")
    if not all(is_json(line, said=said) for line in lines):
        raise Malformed("not newline-delimited JSON, or cut off")
    return b"[" + b",".join(lines) + b"]"
