"""What Google's encoder writes comes out by the descriptors; anything else is refused."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders.limits import Malformed, SchemaMissing, Unreadable
from msgtrace_collectors.decoders.protobuf import ProtobufTypes, message
from tests.collectors.decoders.made_messages import TYPES, common_file, descriptor_set, encoded, order_file

ORDER = TYPES.named("shop.Order")
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
FIELDS = st.fixed_dictionaries(
    {}, optional={"order_id": TEXTS, "lines": st.lists(st.fixed_dictionaries({"sku": TEXTS, "count": st.integers(1, 99)}), min_size=1, max_size=4),
                  "total": st.fixed_dictionaries({"currency": TEXTS}), "paid": st.just(True), "delta": st.integers(-(2**63), 2**63 - 1).filter(bool),
                  "weights": st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4)},
)  # fmt: skip


@given(FIELDS)
def test_round_trip(fields: dict[str, Any]) -> None:
    expected = {**fields, **({"delta": str(fields["delta"])} if "delta" in fields else {})}
    assert json.loads(message(encoded("shop.Order", **fields), ORDER)) == expected


def test_names_places_and_well_known_types() -> None:
    assert TYPES.names() == {"shop.Money", "shop.Order", "shop.Other"}
    assert TYPES.at([1]).full_name == "shop.Order"
    assert TYPES.at([1, 0]).full_name == "shop.Order.Line"
    for path in ([5], [1, 3], [0, 0]):
        with pytest.raises(Malformed):
            TYPES.at(path)
    body = encoded("shop.Order", placed={"seconds": 0, "nanos": 5000}, raw=b"\xff")
    assert json.loads(message(body, ORDER)) == {"placed": "1970-01-01T00:00:00.000005Z", "raw": "/w=="}


@given(st.binary(max_size=200))
def test_anything_else(body: bytes) -> None:
    for read in (lambda: json.loads(message(body, ORDER)), lambda: ProtobufTypes.of_set(body)):
        with contextlib.suppress(Unreadable):
            read()


def test_deep_and_out_of_range() -> None:
    body = b""
    for _ in range(2000):
        size = len(body)
        varint = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
        body = b"\x52" + varint + body
    with pytest.raises(Unreadable):
        message(body, ORDER)
    with pytest.raises(Unreadable):
        message(encoded("shop.Order", placed={"seconds": 2**62}), ORDER)


def test_descriptors_that_do_not_fit() -> None:
    with pytest.raises(Malformed):
        ProtobufTypes.of([("", order_file().SerializeToString())])  # without what it imports
    with pytest.raises(SchemaMissing):
        TYPES.named("shop.Nothing")
    again = [("", common_file().SerializeToString())] * 2
    assert ProtobufTypes.of(again).names() == {"shop.Money"}
    assert ProtobufTypes.of_set(descriptor_set()).files == ("shop/common.proto", "shop/order.proto")
