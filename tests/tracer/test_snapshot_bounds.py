"""Snapshots are bounded, whatever they are taken of."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace.native import MAX_DEPTH
from msgtrace.snapshot import CUT, TYPE, snapshot
from tests.tracer.snapshots import NODES, SIZE, Mapping, Order, plain, written


def counted(value: Any) -> tuple[int, int]:
    """How many values a decoded snapshot has, and how much text and binary data; marks of what was cut aside."""
    if isinstance(value, dict):
        parts = [counted(each) for key, each in value.items() if key not in {CUT, TYPE}]
        keys = sum(len(key) for key in value if key not in {CUT, TYPE})
        return 1 + sum(n for n, _ in parts), keys + sum(size for _, size in parts)
    if isinstance(value, list):
        parts = [counted(each) for each in value if not (isinstance(each, dict) and set(each) == {CUT})]
        return 1 + sum(n for n, _ in parts), sum(size for _, size in parts)
    return 1, len(value) if isinstance(value, (str, bytes)) else 0


@given(plain | st.lists(plain), st.integers(1, 30), st.integers(0, 40))
@settings(max_examples=300)
def test_the_bounds_hold(value: Any, nodes: int, size: int) -> None:
    values, kept = counted(written(value, nodes, size))
    assert values <= nodes + 1
    assert kept <= size


@pytest.mark.parametrize(
    "value",
    [
        list(range(1_000_000)),
        set(range(1_000_000)),
        dict.fromkeys(map(str, range(1_000_000))),
        Mapping.fromkeys(map(str, range(1_000_000))),
        "x" * 100_000_000,
        b"x" * 100_000_000,
        {"x" * 100_000_000: 1},
        [["x" * 60_000]] * 190,
        {str(number): "x" * 60_000 for number in range(150)},
    ],
    ids=["list", "set", "dict", "mapping", "text", "binary", "key", "nested text", "many texts"],
)
def test_what_is_huge_is_cut_without_looking_at_all_of_it(value: Any) -> None:
    encoded = msgspec.msgpack.encode(snapshot((value,), {}, NODES, SIZE))
    assert len(encoded) < 4 * SIZE
    read: list[int] = []

    def count(*_: Any) -> None:
        read.append(1)

    sys.setprofile(count)
    try:
        snapshot((value,), {}, NODES, SIZE)
    finally:
        sys.setprofile(None)
    assert len(read) < 40 * NODES  # calls, of Python functions and of C ones


def test_what_was_cut_says_how_much() -> None:
    assert written(list(range(10)), nodes=4)[-1] == {CUT: 7}
    assert written(dict.fromkeys("abcdefghij", 0), nodes=4) == {"a": 0, "b": 0, "c": 0, CUT: 7}
    order = Order(1, ["a"] * 10)
    assert written(order, nodes=4)["lines"][-1] == {CUT: 9}


def test_structures_that_contain_themselves() -> None:
    ring: list[Any] = [1]
    ring.append(ring)
    table: dict[str, Any] = {}
    table["self"] = table
    node = Order(1, [])
    node.lines = [node, node]  # type: ignore[list-item]  # on purpose
    bush: list[Any] = []
    bush.extend([bush] * 50)
    for value in (ring, table, node, bush):
        values, _ = counted(written(value))
        assert values <= NODES + 1


def test_depth() -> None:
    deep: Any = "bottom"
    for _ in range(10_000):
        deep = [deep]
    found = written(deep)
    for _ in range(MAX_DEPTH):
        (found,) = found
    assert found == {TYPE: "builtins.list", CUT: True}
