"""Undoes gzip, deflate, zstd, snappy and lz4, and never makes more of a body than a limit. Pure.

gzip and deflate come with Python, the others with cramjam, which is asked to write into a buffer of the limit's size.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from msgtrace_collectors.decoders.limits import Malformed, TooMuch, content_limit
from msgtrace_collectors.decoders.optional import optional

if TYPE_CHECKING:
    from collections.abc import Callable

_XERIAL: Final = b"\x82SNAPPY\x00"
"""snappy-java's own framing: header of 16 bytes, then blocks with their length before them."""
_BEYOND: Final = ("write whole buffer", "output buffer", "too small", "maxBlockSize")
"""Of cramjam's messages: what was made did not fit into the buffer."""


def inflate(body: bytes) -> bytes:
    """Undo gzip, zlib or raw deflate: of what is cut off, the beginning.

    Raises:
        Malformed: it is none of these.
        TooMuch: it would become too large.
    """
    limit = content_limit(len(body))
    # HTTP's "deflate" is zlib's format by the standard, and raw deflate by some programs.
    for wbits in (47, -15) if body[:2] != b"\x1f\x8b" else (47,):
        made = zlib.decompressobj(wbits)
        try:
            content = made.decompress(body, limit + 1)
            while made.eof and made.unused_data[:2] == b"\x1f\x8b" and len(content) <= limit:
                # Members of a gzip file follow each other.
                rest = made.unused_data
                made = zlib.decompressobj(47)
                content += made.decompress(rest, limit + 1 - len(content))
        except zlib.error:
            continue
        if len(content) > limit:
            raise TooMuch("would become larger than a compressed body may")
        if wbits == -15 and not made.eof:
            continue
        return content
    raise Malformed("not what a compressor made")


def _cramjam(body: bytes, name: str) -> bytes:
    cramjam = optional("cramjam")
    target = bytearray(content_limit(len(body)))
    try:
        return bytes(target[: getattr(cramjam, name).decompress_into(body, target)])
    except cramjam.DecompressionError as error:
        raise _failure(error) from None


def zstd(body: bytes) -> bytes:
    """Undo Zstandard (RFC 8878). Raises as `inflate`, and Unavailable."""
    return _cramjam(body, "zstd")


def lz4(body: bytes) -> bytes:
    """Undo LZ4's frame format. Raises as `inflate`, and Unavailable."""
    return _cramjam(body, "lz4")


def snappy(body: bytes) -> bytes:
    """Undo snappy: its frame format, snappy-java's, or a bare block. Raises as `inflate`, and Unavailable."""
    if not body:
        return b""  # in the frame format, nothing is nothing
    if body.startswith(b"\xff\x06\x00\x00sNaPpY"):
        return _cramjam(body, "snappy")
    if not body.startswith(_XERIAL):
        return _snappy_block(body, content_limit(len(body)))
    limit = content_limit(len(body))
    content = b""
    place = 16
    while place < len(body):
        size = int.from_bytes(body[place : place + 4], "big")
        block = body[place + 4 : place + 4 + size]
        if not size or len(block) < size:
            raise Malformed("not what a compressor made")
        content += _snappy_block(block, limit - len(content))
        place += 4 + size
    return content


def _snappy_block(block: bytes, limit: int) -> bytes:
    cramjam = optional("cramjam")
    try:
        size = cramjam.snappy.decompress_raw_len(block)
        if size > limit:
            raise TooMuch("would become larger than a compressed body may")
        return bytes(cramjam.snappy.decompress_raw(block))
    except cramjam.DecompressionError as error:
        raise _failure(error) from None


def _failure(error: Exception) -> Malformed | TooMuch:
    if any(words in str(error) for words in _BEYOND):
        return TooMuch("would become larger than a compressed body may")
    return Malformed("not what a compressor made, or cut off")


_CODINGS: Final[dict[str, tuple[str, Any]]] = {
    "gzip": ("gzip", inflate), "x-gzip": ("gzip", inflate), "application/gzip": ("gzip", inflate),
    # kombu's compression header says gzip where it means zlib.
    "application/x-gzip": ("gzip", inflate),
    "deflate": ("deflate", inflate), "zlib": ("deflate", inflate), "application/zlib": ("deflate", inflate),
    "zstd": ("zstd", zstd), "application/zstd": ("zstd", zstd), "zstandard": ("zstd", zstd),
    "snappy": ("snappy", snappy), "x-snappy": ("snappy", snappy), "snappy-framed": ("snappy", snappy),
    "x-snappy-framed": ("snappy", snappy),
    "lz4": ("lz4", lz4), "x-lz4": ("lz4", lz4),
}  # fmt: skip
_MAGIC: Final[tuple[tuple[bytes, str, Any], ...]] = (
    (b"\x1f\x8b\x08", "gzip", inflate),
    (b"\x28\xb5\x2f\xfd", "zstd", zstd),
    (b"\x04\x22\x4d\x18", "lz4", lz4),
    (b"\xff\x06\x00\x00sNaPpY", "snappy", snappy),
    (_XERIAL, "snappy", snappy),
)
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def declared(coding: str) -> tuple[str, Callable[[bytes], bytes]] | None:
    """What a content encoding or a content type says: the format's name, and what undoes it."""
    return _CODINGS.get(coding)


def begun(body: bytes) -> tuple[str, Callable[[bytes], bytes]] | None:
    """What a body begins like; None when like no compressed one."""
    for magic, name, undo in _MAGIC:
        if body.startswith(magic):
            return name, undo
    if body.startswith(_ZLIB) and _is_zlib(body):
        return "deflate", inflate
    return None


def _is_zlib(body: bytes) -> bool:
    """Two bytes are no evidence: the first few must be what a compressor made."""
    try:
        zlib.decompressobj(15).decompress(body, 64)
    except zlib.error:
        return False
    return len(body) > 8
