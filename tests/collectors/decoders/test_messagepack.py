"""What msgspec and msgpack's other writers encode comes out as the program's values."""

from __future__ import annotations

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders.limits import Malformed, TooMuch, Unreadable
from msgtrace_collectors.decoders.messagepack import begins, messagepack
from tests.collectors.decoders.trees import NAMES, TREES, shown


@given(TREES)
def test_round_trip(value: object) -> None:
    assert json.loads(messagepack(msgspec.msgpack.encode(value))) == shown(value)


@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=4))
def test_a_map_of_names_shows_by_itself(value: object) -> None:
    assert begins(msgspec.msgpack.encode(value))


@given(st.binary(max_size=300))
def test_anything_else(body: bytes) -> None:
    with contextlib.suppress(Unreadable):
        json.loads(messagepack(body))
    begins(body)


def test_extensions_and_names_that_are_no_text() -> None:
    body = msgspec.msgpack.encode({1: msgspec.msgpack.Ext(5, b"\xff"), (2, 3): b"x"})
    assert json.loads(messagepack(body)) == {"1": {"ext": 5, "data": {"base64": "/w=="}}, "[2,3]": "x"}


def test_names_that_fall_together_stay_apart() -> None:
    assert json.loads(messagepack(msgspec.msgpack.encode({1: "number", "1": "text"}))) == [[1, "number"], ["1", "text"]]


@pytest.mark.parametrize(
    "body",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xd7\xff" + b"\xff" * 8,
        b"\x81\x80\x01",
    ],
)
def test_lengths_that_are_lies(body: bytes) -> None:
    with pytest.raises(Malformed):
        messagepack(body)


def test_deep_and_large() -> None:
    for body in (
        b"\x91" * 60_000 + b"\x01",
        b"\x91" * 150 + b"\x01",
        msgspec.msgpack.encode([0] * 300_000),
        bytes(2 << 20),
    ):
        with pytest.raises(TooMuch):
            messagepack(body)
