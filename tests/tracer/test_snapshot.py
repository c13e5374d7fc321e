"""Snapshots of an event's arguments: plain data as it is, bounds that hold, and nothing of the program's is run."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import sys
import threading
import uuid
import zoneinfo
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace.native import MAX_DEPTH
from msgtrace.object_copy import copied
from msgtrace.snapshot import CUT, TYPE, snapshot, stand_in, without_surrogates

NODES, SIZE = 200, 64 * 1024
HERE = __name__


def written(value: Any, nodes: int = NODES, size: int = SIZE) -> Any:
    """What a reader of the trace would find of a single argument."""
    encoded = msgspec.msgpack.Encoder(enc_hook=stand_in).encode(snapshot((value,), {}, nodes, size))
    return msgspec.msgpack.decode(encoded)


# ---- plain data --------------------------------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
plain = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)


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


@dataclasses.dataclass
class Order:
    number: int
    lines: list[str]
    _secret: str = "hidden"


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


class Mapping(dict[str, Any]):
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
        (Order(1, ["a"]), {TYPE: f"{HERE}.Order", "number": 1, "lines": ["a"]}),
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
        (Order, {TYPE: "builtins.type", "name": f"{HERE}.Order"}),
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


# ---- bounds ------------------------------------------------------------------------------------------------------------


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


# ---- hostile objects ---------------------------------------------------------------------------------------------------

run: list[str] = []


def trap(name: str) -> Any:
    def tripped(*_: Any, **__: Any) -> Any:
        run.append(name)
        raise AssertionError(name)

    return tripped


SPECIAL = [
    "__getattr__",
    "__getattribute__",
    "__hash__",
    "__eq__",
    "__ne__",
    "__lt__",
    "__repr__",
    "__str__",
    "__format__",
    "__bytes__",
    "__bool__",
    "__len__",
    "__iter__",
    "__next__",
    "__contains__",
    "__getitem__",
    "__call__",
    "__int__",
    "__index__",
    "__float__",
    "__reduce__",
    "__reduce_ex__",
    "__dir__",
    "__sizeof__",
    "__instancecheck__",
    "__subclasscheck__",
    "__del__",
    "__enter__",
    "__fspath__",
    "__copy__",
    "__deepcopy__",
    "keys",
    "items",
    "values",
    "isoformat",
    "utcoffset",
    "_asdict",
    "__getstate__",
    "__length_hint__",
    "__buffer__",
    "__str_",
    "__ceil__",
    "__round__",
    "__complex__",
]
TRAPS = {name: trap(name) for name in SPECIAL if name != "__del__"}


METACLASS = [
    "__hash__",
    "__eq__",
    "__repr__",
    "__getattribute__",
    "__instancecheck__",
    "__subclasscheck__",
    "__call__",
    "__iter__",
    "__len__",
    "__bool__",
]
OF_CLASSES = ["__mro__", "__module__", "__name__", "__dict__", "__bases__", "__class__", "__flags__", "__doc__"]
TrappedMeta: Any = type(
    "TrappedMeta",
    (type,),
    {name: trap(f"metaclass {name}") for name in METACLASS}
    | {name: property(trap(f"metaclass {name}")) for name in OF_CLASSES},
)
"""Notices whoever asks its classes anything."""


def trapped_class(name: str, bases: tuple[type, ...], more: dict[str, Any]) -> Any:
    return TrappedMeta(name, bases, {**TRAPS, **more})


LIES = {"__class__": property(trap("__class__")), "__dict__": property(trap("__dict__"))}
SHADOWS = {"public": property(trap("property")), "_fields": ("a", "b")}


def instance(base: type, more: dict[str, Any], *arguments: Any) -> Any:
    kind = trapped_class(f"Trapped{base.__name__}", (base,), {**SHADOWS, **more})
    return base.__new__(kind, *arguments)


HOSTILE: list[Any] = [
    instance(object, {}),
    instance(object, LIES),
    instance(object, {"__slots__": ("slot",)}),
    instance(dict, {}),
    instance(list, {}),
    instance(tuple, {}, [1, 2]),
    instance(set, {}),
    instance(frozenset, {}, [1, 2]),
    instance(str, {}, "text"),
    instance(bytes, {}, b"bytes"),
    instance(bytearray, {}),
    instance(int, {}, 5),
    instance(float, {}, 0.5),
    instance(Exception, {}, "argument"),
    instance(dt.datetime, {}, 2026, 1, 2),
    instance(dt.date, {}, 2026, 1, 2),
    instance(dt.time, {}, 1),
    instance(decimal.Decimal, {}, "1.5"),
    instance(uuid.UUID, {}),
    trapped_class("Trapped", (), {}),
    functools.partial(trap("partial")),
    trap("function"),
    property(trap("property")),
    (trap("generator")() for _ in range(1)),
]
dict.__setitem__(HOSTILE[3], "key", 1)
list.append(HOSTILE[4], 1)


@pytest.mark.parametrize("position", range(len(HOSTILE)))
def test_nothing_of_the_programs_is_run(position: int) -> None:
    value = HOSTILE[position]
    run.clear()
    for argument in (value, [value], {"key": value}, (value, "text", 1), {"nested": [{"deep": value}]}):
        encoded = msgspec.msgpack.Encoder(enc_hook=stand_in).encode(
            snapshot((argument,), {"named": value}, NODES, SIZE)
        )
        assert len(encoded) > 2
    assert run == []


def test_hostile_keys() -> None:
    class Key(str):
        __slots__ = ()

        def __len__(self) -> int:
            run.append("__len__")
            return 1

        def __str__(self) -> str:
            run.append("__str__")
            return "lie"

    run.clear()
    assert written({Key("truth"): 1}) == {"truth": 1}
    found = written({instance(object, {"__hash__": object.__hash__}): 1})
    assert [key.rpartition(".")[2] for key in found] == ["Trappedobject"]
    assert run == []


def test_what_an_object_holds_is_kept_past_its_disguise() -> None:
    class Disguised:
        def __init__(self) -> None:
            self.__dict__["amount"] = 5

        def __getattribute__(self, name: str) -> Any:
            if name == "__dict__":
                return object.__getattribute__(self, name)
            raise AssertionError(name)

    assert written(Disguised())["amount"] == 5


# ---- threads, text -----------------------------------------------------------------------------------------------------


def test_containers_that_other_threads_change() -> None:
    table: dict[str, Any] = {str(number): number for number in range(50)}
    numbers = set(range(50))
    items = list(range(50))
    thing = Order(1, [])
    stop = threading.Event()

    def change() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            key = str(number % 400)
            table[key] = object() if number % 3 else number
            table.pop(str((number * 7) % 400), None)
            numbers.add(number % 400)
            numbers.discard((number * 7) % 400)
            items.append(number)
            del items[: number % 3]
            thing.__dict__[f"field{number % 300}"] = number
            thing.__dict__.pop(f"field{(number * 7) % 300}", None)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=change) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for nodes in (20, 200, 2000) * 200:
            for value in (table, numbers, items, thing):
                written(value, nodes)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)


@given(st.text(st.characters()))
def test_text_that_has_no_utf8(text: str) -> None:
    """Lone surrogates become replacement characters; all other text stays as it is."""
    repaired = without_surrogates({"key": [text]})["key"][0]
    repaired.encode()
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert repaired == text
