"""Snapshots of hostile objects, and of what other threads change: nothing of the program's is run."""

from __future__ import annotations

import datetime as dt
import decimal
import functools
import sys
import threading
import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.snapshot import snapshot, stand_in, without_surrogates
from tests.tracer.snapshots import NODES, SIZE, Order, written

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
