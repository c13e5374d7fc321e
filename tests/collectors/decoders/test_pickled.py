"""A pickle's shape is read and nothing in it is called, whatever it holds."""

from __future__ import annotations

import collections
import contextlib
import json
import pickle
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders.limits import Malformed, TooMuch, Unreadable
from msgtrace_collectors.decoders.pickled import begins, pickle_shape
from tests.collectors.decoders.trees import TREES, shown

PROTOCOLS = st.integers(3, pickle.HIGHEST_PROTOCOL)


@dataclass
class Order:
    number: int
    items: list[str]


@given(TREES, PROTOCOLS)
def test_round_trip(value: object, protocol: int) -> None:
    body = pickle.dumps(value, protocol)
    assert json.loads(pickle_shape(body)) == shown(value)
    assert begins(body)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii"), max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii")), inner), max_leaves=10))  # fmt: skip
def test_the_text_protocols(value: object) -> None:
    expected = json.loads(pickle_shape(pickle.dumps(value, 4)))
    for protocol in (0, 1, 2):
        assert json.loads(pickle_shape(pickle.dumps(value, protocol))) == expected


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_objects_by_name(protocol: int) -> None:
    value = [Order(7, ["x"]), collections.OrderedDict(a=1), Decimal("1.5")]
    order, ordered, number = json.loads(pickle_shape(pickle.dumps(value, protocol)))
    assert order["class"] == f"{__name__}.Order"
    assert order["state"] == {"number": 7, "items": ["x"]}
    assert (ordered["class"], ordered["members"]) == ("collections.OrderedDict", {"a": 1})
    assert number == {"class": "decimal.Decimal", "arguments": ["1.5"]}


def test_nothing_is_called(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "called",)

    shape = json.loads(pickle_shape(pickle.dumps(Evil())))
    assert shape["arguments"][0]["class"].startswith("pathlib")
    assert not (tmp_path / "called").exists()


def test_a_date() -> None:
    assert json.loads(pickle_shape(pickle.dumps(date(2026, 1, 2))))["class"] == "datetime.date"


@given(st.binary(max_size=200), st.booleans())
def test_anything_else(body: bytes, framed: bool) -> None:
    with contextlib.suppress(Unreadable):
        json.loads(pickle_shape(b"\x80\x04" + body + b"." if framed else body))


@given(st.data())
def test_a_damaged_pickle(data: st.DataObject) -> None:
    body = bytearray(
        pickle.dumps([{"a": [1, 2.5, "x", (b"y", None)]}, Order(1, []), {3}], data.draw(st.integers(0, 5)))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Unreadable):
        json.loads(pickle_shape(bytes(body)))


def test_what_grows_without_end() -> None:
    doubling = b"]" + b"q\0h\0h\0\x86" * 0 + b"".join(b"q%ch%ch%c\x86" % (n, n, n) for n in range(60)) + b"."
    circle: list[Any] = []
    circle.append(circle)
    for body in (doubling, pickle.dumps(circle), b"\x80\x04" + b"]" * 300_000 + b".", b"(" * 250_000 + b"."):
        with pytest.raises(TooMuch):
            pickle_shape(body)
    with pytest.raises(Malformed):
        pickle_shape(b"\x80\x04N.N.")
