"""What cbor2 encodes comes out as the program's values; tags that would cost or run something do neither."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders.cbor import SELF_DESCRIBED, begins, cbor
from msgtrace_collectors.decoders.limits import Malformed, TooMuch, Unreadable
from tests.collectors.decoders.trees import NAMES, TREES, shown


@given(TREES)
def test_round_trip(value: object) -> None:
    assert json.loads(cbor(cbor2.dumps(value))) == shown(value)


@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=20))
def test_a_map_of_names_shows_by_itself(value: object) -> None:
    assert begins(cbor2.dumps(value))
    assert begins(SELF_DESCRIBED + cbor2.dumps(value))


@given(st.binary(max_size=300))
def test_anything_else(body: bytes) -> None:
    with contextlib.suppress(Unreadable):
        json.loads(cbor(body))
    begins(body)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        (Decimal("1.10"), "1.10"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (2**100, str(2**100)),
        (-(2**100), str(-(2**100))),
        ({1: {2**80: b"\xff"}}, {"1": {str(2**80): {"base64": "/w=="}}}),
        (cbor2.CBORTag(4000, ["x"]), {"tag": 4000, "value": ["x"]}),
        (cbor2.undefined, None),
        (cbor2.CBORSimpleValue(99), {"simple": 99}),
        ([{1, 2}], [[1, 2]]),
    ],
)
def test_values_without_a_form_in_json(value: object, expected: Any) -> None:
    assert json.loads(cbor(cbor2.dumps(value))) == expected


def test_shared_parts_are_not_multiplied() -> None:
    part: list[Any] = ["x"]
    for _ in range(40):
        part = [part, part]
    document = cbor(cbor2.dumps(part, value_sharing=True))
    assert len(document) < 3_000
    assert b'"tag":29' in document


def test_a_regular_expression_is_not_compiled() -> None:
    assert json.loads(cbor(b"\xd8\x23\x67(a+)+$!")) == {"tag": 35, "value": "(a+)+$!"}


@pytest.mark.parametrize(
    "body", [b"\x9b" + b"\xff" * 8, b"\xbb\0\0\0\0\x0f\xff\xff\xff", b"\x5b\0\0\0\xff\xff\xff\xff\xff", b"\x01\x02"]
)
def test_lengths_that_are_lies_and_leftovers(body: bytes) -> None:
    with pytest.raises(Malformed):
        cbor(body)


def test_deep_large_and_huge() -> None:
    for body in (b"\x81" * 60_000 + b"\x01", cbor2.dumps([0] * 300_000), bytes(2 << 20)):
        with pytest.raises(TooMuch):
            cbor(body)
    assert json.loads(cbor(b"\xc2\x59\xff\xff" + b"\xff" * 65535)) == {"integer_bits": 524_280}
