"""The copy of a value that is not plain or too large: bounded, and calling nothing of the program's.

Everything is read with the methods of the built-in types themselves, past whatever a class puts in their place:
properties, `__getattr__`, `__class__`, `__iter__`, a metaclass. An instance of a subclass of a built-in type is what it
is underneath; any other object is its type's name and the public attributes that lie in its own namespace and slots.
"""

from __future__ import annotations

import datetime as dt
import decimal
import sys
import uuid
from enum import Enum
from itertools import islice
from types import GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgtrace.bare_class import full_name, mro, namespace
from msgtrace.native import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TYPE: Final = "$type"
"""Key under which an object's type stands."""
CUT: Final = "$cut"
"""Key, or type name, of what was left out for its size."""
ARGS: Final = "args"
"""Key of a call's positional arguments, and of an exception's."""

MAX_INT_BITS: Final = 4096
"""Larger integers are cut: Python refuses to write them out."""
MAX_DECIMAL_BYTES: Final = 1024
"""Larger decimal numbers are cut: the memory of one is about half as many bytes as it has digits."""
MAX_CLASSES: Final = 1_000
"""Classes that are known; a program that makes classes without end starts anew."""


def copied(value: Any, nodes: int, size: int) -> Any:
    """A copy.

    Args:
        value: anything.
        nodes: at most so many values are kept.
        size: at most so many characters and bytes of text, of binary values and of keys are kept.
    """
    return _copy(value, _Budget(nodes, size), 0)


_Reader: TypeAlias = "Callable[[Any, _Budget, int], Any]"


class _Budget:
    __slots__ = ("bytes", "nodes")

    def __init__(self, nodes: int, size: int) -> None:
        self.nodes = nodes
        self.bytes = size

    def take(self, value: Any) -> Any:
        """As much of a text or binary value as may be kept."""
        kept = value[: max(0, self.bytes)]
        self.bytes -= len(kept)
        return kept


class _Class:
    """What is known of a class whose instances were met: what reads them, its name, where they keep their attributes."""

    __slots__ = ("kind", "name", "namespace", "read", "slots", "walks")

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.name = full_name(kind)
        exact = _EXACT.get(kind) if type(kind) is type else None
        self.read = exact or next(filter(None, map(_reader_of_base, mro(kind))), _object)
        self.walks = self.read in _WALKS
        own = next((d for d in (namespace(base).get("__dict__") for base in mro(kind)) if d is not None), None)
        # A class may put something else in the place of its instances' dictionary: then they have none for us.
        self.namespace = own if type(own) is GetSetDescriptorType else None
        members = (each for base in reversed(mro(kind)) for each in tuple(namespace(base).items()))
        slots = {n: m for n, m in members if type(m) is MemberDescriptorType and type(n) is str and n[:1] != "_"}
        self.slots = tuple(slots.items())


def _reader_of_base(base: type) -> _Reader | None:
    return _INHERITED.get(base) if type(base) is type else _member if base is Enum else None


_classes: dict[int, _Class] = {}
"""By identity: a class as a key would be asked for its hash. Holding the class keeps its identity from being reused."""


def _class_of(kind: type) -> _Class:
    known = _classes.get(id(kind))
    if known is None:
        if len(_classes) >= MAX_CLASSES:
            _classes.clear()
        known = _classes[id(kind)] = _Class(kind)
    return known


def _copy(value: Any, budget: _Budget, depth: int) -> Any:
    kind = type(value)
    budget.nodes -= 1
    if kind is str and len(value) <= budget.bytes:
        budget.bytes -= len(value)
        return value
    known = _classes.get(id(kind)) or _class_of(kind)
    if known.walks and (budget.nodes <= 0 or depth >= MAX_DEPTH):
        return {TYPE: known.name, CUT: True}
    return known.read(value, budget, depth + 1)


def _atom(value: Any, _budget: _Budget, _depth: int) -> Any:
    return value


def _integer(value: Any, _budget: _Budget, _depth: int) -> Any:
    value = int.__index__(value)
    if -(2**63) <= value < 2**64:  # where MessagePack ends; a larger number is kept as its digits
        return value
    return str(value) if value.bit_length() <= MAX_INT_BITS else {TYPE: "builtins.int", CUT: True}


def _decimal(value: Any, _budget: _Budget, _depth: int) -> Any:
    if decimal.Decimal.__sizeof__(value) > MAX_DECIMAL_BYTES:
        return {TYPE: "decimal.Decimal", CUT: True}
    return value if type(value) is decimal.Decimal else decimal.Decimal(decimal.Decimal.__str__(value))


def _floating(value: Any, _budget: _Budget, _depth: int) -> Any:
    return float.__float__(value)


def _time(value: Any, _budget: _Budget, _depth: int) -> Any:
    """A date or a time of day, or both. One in a time zone of the program's own is kept without it."""
    kind: Any = next(each for each in (dt.datetime, dt.date, dt.time) if issubclass(type(value), each))
    zone = None if kind is dt.date else kind.__dict__["tzinfo"].__get__(value)
    known = zone is None or type(zone) is dt.timezone or type(zone) is _zone_info()
    if known and type(value) is kind:
        return value
    plain: Any = kind(*(field.__get__(value) for field in _FIELDS_OF_TIME[kind]))
    if known:
        return plain if zone is None else plain.replace(tzinfo=zone)
    return {TYPE: full_name(type(value)), "naive": plain, "tzinfo": full_name(type(zone))}


def _zone_info() -> Any:
    """The one other class of time zones that runs no Python code; most programs never load it."""
    return getattr(sys.modules.get("zoneinfo"), "ZoneInfo", None)


def _text(value: Any, budget: _Budget, _depth: int) -> Any:
    return budget.take(str.__str__(value))


def _binary(value: Any, budget: _Budget, _depth: int) -> Any:
    kept = bytes if issubclass(type(value), bytes) else bytearray
    return budget.take(kept.__getitem__(value, slice(0, max(0, budget.bytes))))


def _listed(value: Any, budget: _Budget, depth: int) -> list[Any]:
    return _items(lambda: list.__iter__(value), list.__len__(value), budget, depth)


def _tupled(value: Any, budget: _Budget, depth: int) -> Any:
    kind = type(value)
    names = None if kind is tuple else namespace(kind).get("_fields")
    if type(names) is tuple and len(names) == tuple.__len__(value) and all(type(name) is str for name in names):
        named = dict(zip(names, tuple.__iter__(value), strict=True))
        return {TYPE: full_name(kind), **_fields(named.items, len(names), budget, depth)}
    return _items(lambda: tuple.__iter__(value), tuple.__len__(value), budget, depth)


def _set(value: Any, budget: _Budget, depth: int) -> list[Any]:
    return _items(lambda: set.__iter__(value), set.__len__(value), budget, depth)


def _frozen_set(value: Any, budget: _Budget, depth: int) -> list[Any]:
    return _items(lambda: frozenset.__iter__(value), frozenset.__len__(value), budget, depth)


def _mapping(value: Any, budget: _Budget, depth: int) -> dict[str, Any]:
    return _fields(lambda: dict.items(value), dict.__len__(value), budget, depth)


def _member(value: Any, budget: _Budget, depth: int) -> Any:
    """A member of an enumeration: its value, where that is plain, else its name."""
    own = _namespace(value, _class_of(type(value))) or {}
    plain = own.get("_value_")
    kind = type(plain)
    if type(kind) is type and kind in _SIMPLE:
        return _EXACT[kind](plain, budget, depth)
    name = own.get("_name_")
    return {TYPE: full_name(type(value)), "name": budget.take(name) if type(name) is str else None}


def _exception(value: Any, budget: _Budget, depth: int) -> dict[str, Any]:
    arguments = _copy(_EXCEPTION_ARGS(value), budget, depth)
    return {**_object(value, budget, depth), ARGS: arguments}


def _class(value: Any, _budget: _Budget, _depth: int) -> dict[str, Any]:
    return {TYPE: full_name(type(value)), "name": full_name(value)}


def _object(value: Any, budget: _Budget, depth: int) -> dict[str, Any]:
    known = _class_of(type(value))
    kept = {TYPE: known.name}
    own = _namespace(value, known)
    if own:
        kept |= _fields(own.items, len(own), budget, depth, public=True)
    if known.slots:
        slots = _filled(value, known.slots)
        kept |= _fields(slots.items, len(slots), budget, depth)
    return kept


def _namespace(value: Any, known: _Class) -> dict[str, Any] | None:
    """An instance's own dictionary."""
    own = None if known.namespace is None else known.namespace.__get__(value)
    return own if type(own) is dict else None


def _filled(value: Any, slots: tuple[tuple[str, MemberDescriptorType], ...]) -> dict[str, Any]:
    there: dict[str, Any] = {}
    for name, slot in slots:
        try:
            there[name] = slot.__get__(value)
        except AttributeError:  # nothing has been put there
            continue
    return there


# ---- containers ------------------------------------------------------------------------------------------------------


def _some(values: Callable[[], Iterable[Any]], count: int, budget: _Budget) -> tuple[Any, ...]:
    """No more of a container than may be kept, and one to see that there is more."""
    limit = max(0, budget.nodes) + 1
    for _ in range(3):
        try:
            return tuple(values()) if count <= limit else tuple(islice(values(), limit))
        except RuntimeError:  # another thread has changed it in between
            continue
    return ()


def _items(values: Callable[[], Iterable[Any]], count: int, budget: _Budget, depth: int) -> list[Any]:
    kept: list[Any] = []
    for value in _some(values, count, budget):
        if budget.nodes <= 0:
            break
        kept.append(_copy(value, budget, depth))
    if len(kept) < count:
        kept.append({CUT: count - len(kept)})
    return kept


def _fields(
    values: Callable[[], Iterable[tuple[Any, Any]]], count: int, budget: _Budget, depth: int, *, public: bool = False
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    passed = 0
    for key, value in _some(values, count, budget):
        if not public or (type(key) is str and not key.startswith("_")):
            if budget.nodes <= 0 or budget.bytes < 0:
                break
            name = key if type(key) is str and len(key) <= budget.bytes else _key(key, budget)
            budget.bytes -= len(name)
            kept[name] = _copy(value, budget, depth)
        passed += 1
    if passed < count:
        kept[CUT] = count - passed
    return kept


def _key(key: Any, budget: _Budget) -> str:
    """A key as text, no longer than may be kept."""
    plain = key if type(key) is str else _copy(key, _Budget(1, budget.bytes), MAX_DEPTH)
    kind = type(plain)
    text = plain if kind is str else str(plain) if type(kind) is type and kind in _SIMPLE else full_name(type(key))
    return text[: max(0, budget.bytes)]


# ---- what reads what -------------------------------------------------------------------------------------------------

_EXCEPTION_ARGS: Final[Callable[[Any], tuple[Any, ...]]] = BaseException.__dict__["args"].__get__
_FIELDS_OF_DATE: Final = tuple(dt.date.__dict__[name] for name in ("year", "month", "day"))
_FIELDS_OF_TIME: Final = {
    dt.date: _FIELDS_OF_DATE,
    dt.time: tuple(dt.time.__dict__[name] for name in ("hour", "minute", "second", "microsecond")),
    dt.datetime: (
        *_FIELDS_OF_DATE,
        *(dt.datetime.__dict__[name] for name in ("hour", "minute", "second", "microsecond")),
    ),
}
_SIMPLE: Final = frozenset({type(None), bool, int, float, str, dt.date, uuid.UUID})

_EXACT: Final[dict[type, _Reader]] = {
    **dict.fromkeys((type(None), bool, float, dt.date, uuid.UUID), _atom),
    **dict.fromkeys((dt.datetime, dt.time), _time),
    decimal.Decimal: _decimal,
    int: _integer,
    str: _text,
    bytes: _binary,
    bytearray: _binary,
    dict: _mapping,
    list: _listed,
    tuple: _tupled,
    set: _set,
    frozenset: _frozen_set,
}
"""By exact type."""

_INHERITED: Final[dict[type, _Reader]] = {
    type: _class,
    BaseException: _exception,
    **dict.fromkeys((dt.datetime, dt.date, dt.time), _time),
    decimal.Decimal: _decimal,
    float: _floating,
    int: _integer,
    str: _text,
    bytes: _binary,
    bytearray: _binary,
    dict: _mapping,
    list: _listed,
    tuple: _tupled,
    set: _set,
    frozenset: _frozen_set,
}
"""By the first of a class's bases that is here."""

_WALKS: Final = frozenset({_listed, _tupled, _set, _frozen_set, _mapping, _exception, _object})
"""Those that go deeper."""
