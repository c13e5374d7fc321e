"""What a compressor made comes back; what it did not is refused; a bomb costs its limit and no more."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders import compression
from msgtrace_collectors.decoders.limits import MAX_CONTENT_BYTES, Malformed, TooMuch, Unreadable, content_limit

if TYPE_CHECKING:
    from collections.abc import Callable


def raw_deflate(content: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(content) + made.flush()


def xerial(content: bytes) -> bytes:
    """As snappy-java writes it, in two blocks."""
    blocks = [bytes(cramjam.snappy.compress_raw(part)) for part in (content[:10], content[10:])]
    return b"\x82SNAPPY\0\0\0\0\1\0\0\0\1" + b"".join(len(b).to_bytes(4, "big") + b for b in blocks)


MADE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "gzip": (gzip.compress, "gzip"),
    "gzip-of-two": (lambda c: gzip.compress(c[:7]) + gzip.compress(c[7:]), "gzip"),
    "zlib": (zlib.compress, "deflate"),
    "raw-deflate": (raw_deflate, "deflate"),
    "zstd": (lambda c: bytes(cramjam.zstd.compress(c)), "zstd"),
    "lz4": (lambda c: bytes(cramjam.lz4.compress(c)), "lz4"),
    "snappy": (lambda c: bytes(cramjam.snappy.compress(c)), "snappy"),
    "snappy-raw": (lambda c: bytes(cramjam.snappy.compress_raw(c)), "snappy"),
    "snappy-java": (xerial, "snappy"),
}
MARKED = sorted(MADE.keys() - {"raw-deflate", "snappy-raw"})


def undone(coding: str, body: bytes) -> bytes:
    declared = compression.declared(coding)
    assert declared is not None
    return declared[1](body)


@pytest.mark.parametrize("how", MADE)
@given(content=st.binary(max_size=300).map(lambda part: part * 5))
def test_round_trip(how: str, content: bytes) -> None:
    make, coding = MADE[how]
    assert undone(coding, make(content)) == content


@pytest.mark.parametrize("how", MARKED)
def test_shows_by_itself(how: str) -> None:
    make, coding = MADE[how]
    found = compression.begun(make(b'{"some": "content"}' * 3))
    assert found is not None
    assert found[0] == coding


@pytest.mark.parametrize("how", MADE)
def test_bomb(how: str) -> None:
    make, coding = MADE[how]
    with pytest.raises(TooMuch):
        undone(coding, make(bytes(40 << 20)))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "lz4", "snappy"])
@given(body=st.binary(max_size=400))
def test_anything_else(coding: str, body: bytes) -> None:
    try:
        content = undone(coding, body)
    except Unreadable:
        return
    assert len(content) <= content_limit(len(body)) <= MAX_CONTENT_BYTES


@pytest.mark.parametrize("how", ["zstd", "lz4", "snappy"])
@given(cut=st.integers(1, 100))
def test_cut_off(how: str, cut: int) -> None:
    make, coding = MADE[how]
    body = make(bytes(range(256)) * 4)
    with pytest.raises(Malformed):
        undone(coding, body[: -min(cut, len(body) - 12)])


def test_the_beginning_of_what_is_cut_off() -> None:
    content = b"".join(b"%d," % number for number in range(5000))
    begun = undone("gzip", gzip.compress(content)[:-100])
    assert content.startswith(begun)
    assert len(begun) > 1000


@pytest.mark.parametrize("text", ["x^2 + y^2 = 1", "hello", "", "x\x01not zlib at all, really"])
def test_text_is_not_taken_for_compressed(text: str) -> None:
    assert compression.begun(text.encode()) is None
