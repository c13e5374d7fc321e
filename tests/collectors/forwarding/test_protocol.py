"""Frames come back as they were, however they are cut; what is no frame is told, and nothing becomes larger than allowed."""

from __future__ import annotations

import struct
from typing import Any

import cramjam
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.forwarding.protocol import (
    MAX_RAW_BYTES,
    At,
    Bodies,
    Body,
    Forget,
    Hello,
    Message,
    Open,
    Ping,
    Position,
    ProtocolError,
    Records,
    Refused,
    Schema,
    Stored,
    Unpacker,
    Welcome,
    packed,
    records_of,
    rows_of,
    squeezed,
)
from msgtrace_collectors.forwarding.receiver import Receiver

IDS = st.text("0123456789abcdef", min_size=32, max_size=32)
COUNTS = st.integers(0, 2**62)
TEXTS = st.text(max_size=100)
POSITIONS = st.builds(Position, COUNTS, COUNTS)
BODIES = st.builds(
    Body, st.binary(min_size=16, max_size=16), st.none() | st.binary(), st.none() | TEXTS, TEXTS,
    st.none() | st.integers(0, 10**6), st.none() | TEXTS, st.none() | TEXTS,
)  # fmt: skip
SCHEMAS = st.builds(
    Schema, TEXTS, TEXTS, TEXTS, st.none() | COUNTS, TEXTS, st.none() | COUNTS, TEXTS, st.none() | TEXTS
)
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Hello, st.integers(0, 9), TEXTS), st.builds(Welcome, st.integers(0, 9), st.binary(min_size=16, max_size=64)),
    st.builds(Refused, TEXTS), st.builds(Open, IDS), st.builds(At, IDS, POSITIONS, st.booleans()),
    st.builds(Bodies, st.integers(0, MAX_RAW_BYTES), st.binary()),
    st.builds(Records, IDS, POSITIONS, POSITIONS, COUNTS, COUNTS, st.booleans(), st.integers(0, MAX_RAW_BYTES), st.binary()),
    st.builds(Stored, COUNTS), st.just(Ping()), st.just(Forget()),
)  # fmt: skip


@given(st.lists(MESSAGES, max_size=5), st.data())
def test_frames_come_back_however_they_are_cut(messages: list[Message], data: st.DataObject) -> None:
    stream = b"".join(map(packed, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    unpacker, found = Unpacker(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        unpacker.feed(stream[start:end])
        while (message := unpacker.next()) is not None:
            found.append(message)
    assert found == messages


@given(st.lists(st.binary(max_size=300), max_size=50))
def test_records_come_back(payloads: list[bytes]) -> None:
    size, data = squeezed(payloads)
    here = Position(1, 128)
    assert records_of(Records("0" * 32, here, here, 0, 0, False, size, data)) == payloads


@given(st.lists(BODIES | SCHEMAS, max_size=20))
def test_rows_come_back(rows: list[Body | Schema]) -> None:
    assert rows_of(Bodies(*squeezed(rows))) == rows


@given(st.binary(max_size=400), st.booleans())
def test_whatever_comes_is_a_message_or_an_error(data: bytes, welcomed: bool) -> None:
    receiver = Receiver("a token of length", b"k" * 32, welcomed)
    receiver.feed(struct.pack(">I", len(data)) + data)
    try:
        said, answer, _ = receiver.next()
    except ProtocolError:
        return
    assert welcomed or (said is None and not answer)


@given(st.integers(0, 1000), st.binary(max_size=200))
def test_what_does_not_expand_to_what_was_said_is_an_error(size: int, data: bytes) -> None:
    with pytest.raises(ProtocolError):
        rows_of(Bodies(size, data + b"!"))


def test_a_bomb_becomes_no_larger_than_it_said() -> None:
    bomb = bytes(cramjam.zstd.compress(bytes(1 << 30)))
    assert len(bomb) < 1 << 17
    for size in (1, MAX_RAW_BYTES):
        with pytest.raises(ProtocolError):
            rows_of(Bodies(size, bomb))
    frame: list[Any] = [5, MAX_RAW_BYTES + 1, bomb]
    unpacker = Unpacker()
    text = msgspec.msgpack.encode(frame)
    unpacker.feed(struct.pack(">I", len(text)) + text)
    with pytest.raises(ProtocolError):
        unpacker.next()


@pytest.mark.parametrize("token", ["", "a token of lengti", "a token of length "])
def test_a_wrong_token_gets_no_key(token: str) -> None:
    receiver = Receiver("a token of length", b"k" * 32)
    receiver.feed(packed(Hello(1, token)))
    with pytest.raises(ProtocolError):
        receiver.next()


def test_nothing_is_taken_before_the_token() -> None:
    for first in (Open("0" * 32), Ping(), Bodies(*squeezed([]))):
        receiver = Receiver("a token of length", b"k" * 32)
        receiver.feed(packed(first))
        with pytest.raises(ProtocolError):
            receiver.next()
