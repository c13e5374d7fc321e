"""The wire shape says what Google's encoder wrote, by number."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders.limits import Malformed, TooMuch, Unreadable
from msgtrace_collectors.decoders.protobuf_wire import varint, wire_shape
from tests.collectors.decoders.made_messages import encoded

TEXTS = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=8)


@given(TEXTS, st.lists(st.tuples(TEXTS, st.integers(1, 2**32 - 1)), min_size=1, max_size=4), st.booleans())
def test_round_trip(name: str, lines: list[tuple[str, int]], paid: bool) -> None:
    body = encoded("shop.Order", order_id=name, lines=[{"sku": sku, "count": count} for sku, count in lines], paid=paid)
    shape = json.loads(wire_shape(body))
    expected: list[Any] = [{"1": sku, "2": count} for sku, count in lines]
    found = shape["2"] if len(lines) > 1 else [shape["2"]]
    # The bytes of a short message may be a text, too: nobody can tell.
    assert all(shown == wanted or isinstance(shown, str) for shown, wanted in zip(found, expected, strict=True))
    assert (shape["1"], shape.get("4")) == (name, 1 if paid else None)


def test_each_kind() -> None:
    body = b"\x08\x96\x01" + b"\x11" + bytes(7) + b"\x01" + b"\x1d\x01\0\0\0" + b"\x22\x02\xff\xfe" + b"\x2a\x00"
    assert json.loads(wire_shape(body)) == {
        "1": 150, "2": {"fixed64": 1 << 56}, "3": {"fixed32": 1}, "4": {"base64": "//4="}, "5": ""
    }  # fmt: skip


@given(st.binary(max_size=300))
def test_anything_else(body: bytes) -> None:
    with contextlib.suppress(Unreadable):
        json.loads(wire_shape(body))


@pytest.mark.parametrize(
    "body",
    [
        b"\x08",
        b"\x08" + b"\xff" * 11,
        b"\x0a\x05ab",
        b"\x00\x01",
        b"\x0b",
        b"\x09\x01",
        b"\x0a\xff\xff\xff\xff\xff\x0f",
    ],
)
def test_cut_off_or_none(body: bytes) -> None:
    with pytest.raises(Malformed):
        wire_shape(body)


def test_large() -> None:
    for body in (b"\x08\x01" * 250_000, bytes(2 << 20)):
        with pytest.raises(TooMuch):
            wire_shape(body)


@given(st.integers(0, 2**64 - 1))
def test_varint(number: int) -> None:
    encoded_number, left = b"", number
    while left > 0x7F:
        encoded_number += bytes([left & 0x7F | 0x80])
        left >>= 7
    encoded_number += bytes([left])
    assert varint(b"x" + encoded_number, 1) == (number, 1 + len(encoded_number))
