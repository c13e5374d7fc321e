"""Snapshots of an event's arguments: plain data as it is, objects as what they hold."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import sys
import uuid
import zoneinfo
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given

from msgtrace.object_copy import copied
from msgtrace.snapshot import CUT, TYPE, snapshot
from tests.tracer.snapshots import NODES, SIZE, Mapping, Order, plain, written

HERE = __name__


@given(plain)
def test_plain_data_is_what_it_is(value: Any) -> None:
    assert written(value) == value


@given(plain)
def test_a_copy_of_plain_data_is_the_same(value: Any) -> None:
    """The two ways, as it is and copied, never differ in what is read of them."""
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(copied(value, NODES, 1 << 20))) == value


def test_plain_data_is_not_copied() -> None:
    value = {
        "id": 1,
        "lines": [{"sku": "a", "at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "price": decimal.Decimal("1.5")}],
    }
    assert snapshot((value,), {}, NODES, SIZE) is value


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        ((), {}, {}),
        ((1,), {}, 1),
        ((1, "two"), {}, {"args": [1, "two"]}),
        ((), {"a": 1}, {"a": 1}),
        ((1,), {"a": 2}, {"args": [1], "a": 2}),
        ((1,), {"args": 2}, {"$args": [1], "args": 2}),
    ],
)
def test_arguments(args: tuple[Any, ...], kwargs: dict[str, Any], expected: Any) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot(args, kwargs, NODES, SIZE))) == expected


# ---- objects -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    number: int
    note: str


@dataclasses.dataclass(frozen=True, slots=True)
class Longer(Slotted):
    more: float


class Empty:
    __slots__ = ("never",)


class Point(NamedTuple):
    x: int
    y: int


class Status(enum.Enum):
    PAID = "paid"
    ODD = ("a", 1)


class Level(enum.IntEnum):
    HIGH = 3


class Word(str):
    __slots__ = ()


class Number(int):
    pass


class Ratio(float):
    pass


class Failure(ValueError):  # noqa: N818 - as programs name theirs
    def __init__(self, text: str, code: int) -> None:
        super().__init__(text, code)
        self.code = code


class Moment(dt.datetime):
    pass


class Amount(decimal.Decimal):
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Order(1, ["a"]), {TYPE: f"{Order.__module__}.Order", "number": 1, "lines": ["a"]}),
        (Slotted(1, "n"), {TYPE: f"{HERE}.Slotted", "number": 1, "note": "n"}),
        (Longer(1, "n", 0.5), {TYPE: f"{HERE}.Longer", "number": 1, "note": "n", "more": 0.5}),
        (Empty(), {TYPE: f"{HERE}.Empty"}),
        (Point(1, 2), {TYPE: f"{HERE}.Point", "x": 1, "y": 2}),
        (Status.PAID, "paid"),
        (Status.ODD, {TYPE: f"{HERE}.Status", "name": "ODD"}),
        (Level.HIGH, 3),
        (Word("w"), "w"),
        (Number(7), 7),
        (Ratio(0.5), 0.5),
        (Mapping(a=1), {"a": 1}),
        (collections.OrderedDict(b=2), {"b": 2}),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (collections.defaultdict(list, {"k": [1]}), {"k": [1]}),
        (Failure("no", 4), {TYPE: f"{HERE}.Failure", "code": 4, "args": ["no", 4]}),
        (KeyError("k"), {TYPE: "builtins.KeyError", "args": ["k"]}),
        (Order, {TYPE: "builtins.type", "name": f"{Order.__module__}.Order"}),
        (len, {TYPE: "builtins.builtin_function_or_method"}),
        (sys, {TYPE: "builtins.module"}),
        (object(), {TYPE: "builtins.object"}),
        (
            {1: "one", None: "none", (1, 2): "pair", Status.PAID: 2},
            {"1": "one", "None": "none", "builtins.tuple": "pair", "paid": 2},
        ),
        (2**64, str(2**64)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (10**5000, {TYPE: "builtins.int", CUT: True}),
        ({"n": 10**5000}, {"n": {TYPE: "builtins.int", CUT: True}}),
        (decimal.Decimal("1.50"), "1.50"),
        (Amount("2.5"), "2.5"),
        (decimal.Decimal("1" * 100_000), {TYPE: "decimal.Decimal", CUT: True}),
        (uuid.UUID(int=7), str(uuid.UUID(int=7))),
        (bytearray(b"ab"), b"ab"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects(value: Any, expected: Any) -> None:
    assert written(value) == expected


def test_sets_are_lists() -> None:
    assert sorted(written({3, 1, 2})) == [1, 2, 3]
    assert sorted(written(frozenset({"a", Word("b")}))) == ["a", "b"]


class Somewhere(dt.tzinfo):
    """A time zone of the program's own: Python code."""

    asked = 0

    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
        type(self).asked += 1
        return dt.timedelta(hours=1)

    dst = utcoffset

    def tzname(self, when: dt.datetime | None) -> str:
        return "somewhere"


@pytest.mark.parametrize("zone", [None, dt.UTC, dt.timezone(dt.timedelta(hours=2)), zoneinfo.ZoneInfo("UTC")])
@pytest.mark.parametrize("kind", [dt.datetime, Moment])
def test_times(kind: type[dt.datetime], zone: dt.tzinfo | None) -> None:
    when = kind(2026, 11, 24, 1, 2, 3, 4, tzinfo=zone)
    exact = dt.datetime(2026, 11, 24, 1, 2, 3, 4, tzinfo=zone)
    assert written(when) == written({"at": when})["at"] == msgspec.msgpack.decode(msgspec.msgpack.encode(exact))


def test_a_time_zone_of_the_programs_own_is_not_asked() -> None:
    when = dt.datetime(2026, 11, 24, 1, tzinfo=Somewhere())
    kept = {TYPE: "datetime.datetime", "naive": "2026-11-24T01:00:00", "tzinfo": f"{HERE}.Somewhere"}
    assert written(when) == written([when])[0] == kept
    assert written(dt.time(1, tzinfo=Somewhere()))["tzinfo"] == f"{HERE}.Somewhere"
    assert Somewhere.asked == 0
