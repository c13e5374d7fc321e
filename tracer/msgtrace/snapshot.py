"""A copy of an in-process event's arguments as plain data, bounded, calling nothing of the program's.

Only exact built-in types are walked. An object of another type is its type's name and, where it keeps its attributes in
an ordinary namespace, the public ones of those: read from the namespace itself, past any property or `__getattr__`.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from types import GetSetDescriptorType
from typing import Any, Final

TYPE: Final = "$type"
"""Key under which an object's type stands."""
CUT: Final = "$cut"
"""Key, or type name, of what was left out for its size."""

_ATOMS: Final = frozenset({type(None), bool, int, float, dt.datetime, dt.date, dt.time, decimal.Decimal, uuid.UUID})
_LISTS: Final = frozenset({list, tuple, set, frozenset})
_STRINGS: Final = frozenset({str})
MAX_DEPTH: Final = 16


def snapshot(args: tuple[Any, ...], kwargs: dict[str, Any], nodes: int, size: int) -> Any:
    """Make a call's arguments fit to be encoded at once.

    Args:
        args: positional arguments.
        kwargs: named arguments.
        nodes: at most so many values are kept.
        size: at most so many characters and bytes of text and binary values are kept.

    Returns:
        the one positional argument if there is only that, else the named ones if there are only those, else
        `{"args": [...], **kwargs}`. Small plain data is returned as it is and not copied: the caller encodes it before
        anything else can run in this thread, and never keeps it.
    """
    if len(args) == 1 and not kwargs:
        value: Any = args[0]
        if type(value) is str and len(value) <= size:
            return value
    else:
        value = {"args": args, **kwargs} if args else kwargs
    if _left(value, nodes, size, 0) >= 0:
        return value
    return _copy(value, _Budget(nodes, size), 0)


def _left(value: Any, nodes: int, size: int, depth: int) -> int:  # noqa: C901, PLR0912 - unrolled: it runs for every event
    """How many of `nodes` are left when `value` is plain data and within the bounds; negative when it is not.

    One loop a container and no call a value: this runs for every event.
    """
    kind = type(value)
    if kind is dict:
        if not _STRINGS.issuperset(map(type, value)):
            return -1
        values = value.values()
    elif kind in _LISTS:
        values = value
    elif kind is str or kind is bytes:
        return nodes - 1 if len(value) <= size else -1
    else:
        return nodes - 1 if kind in _ATOMS and (kind is not int or -(2**63) <= value < 2**64) else -1
    nodes -= len(value) + 1
    if nodes < 0 or depth >= MAX_DEPTH:
        return -1
    # tuple(): one C call, so that no other thread changes what is looped over.
    for each in tuple(values):
        kind = type(each)
        if kind is str:
            size -= len(each)
        elif kind is int:
            if not -(2**63) <= each < 2**64:
                return -1
        elif kind in _ATOMS:
            continue
        else:
            nodes = _left(each, nodes + 1, size, depth + 1)
            if nodes < 0:
                return -1
    return nodes if size >= 0 else -1


def stand_in(value: Any) -> Any:
    """For the encoder: what stands for a value of a type that it has no form for. Calls nothing of the value's."""
    return _name(type(value))


class _Budget:
    __slots__ = ("bytes", "nodes")

    def __init__(self, nodes: int, size: int) -> None:
        self.nodes = nodes
        self.bytes = size


def _copy(value: Any, budget: _Budget, depth: int) -> Any:
    kind = type(value)
    budget.nodes -= 1
    if kind in _ATOMS:
        # MessagePack ends at 64 bits; a larger number is kept as its digits.
        return str(value) if kind is int and not -(2**63) <= value < 2**64 else value
    if kind is str or kind is bytes or kind is bytearray:
        kept = value[: max(0, budget.bytes)]
        budget.bytes -= len(kept)
        return kept
    if budget.nodes <= 0 or depth >= MAX_DEPTH:
        return {TYPE: _name(kind), CUT: True}
    if kind is dict:
        return _mapping(value, budget, depth + 1)
    if kind in _LISTS:
        return _items(value, budget, depth + 1)
    return _object(value, kind, budget, depth + 1)


def _items(values: Any, budget: _Budget, depth: int) -> list[Any]:
    kept: list[Any] = []
    # A copy of the container first, in one C call: another thread may be changing it.
    for value in tuple(values):
        if budget.nodes <= 0:
            kept.append({CUT: len(values) - len(kept)})
            break
        kept.append(_copy(value, budget, depth))
    return kept


def _mapping(values: dict[Any, Any], budget: _Budget, depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in tuple(values.items()):
        if budget.nodes <= 0:
            kept[CUT] = len(values) - len(kept)
            break
        name = key if type(key) is str else str(key) if type(key) in _ATOMS else _name(type(key))
        kept[name] = _copy(value, budget, depth)
    return kept


def _object(value: Any, kind: type, budget: _Budget, depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {TYPE: _name(kind)}
    namespace = _namespace(value, kind)
    if namespace is not None:
        public = {key: each for key, each in tuple(namespace.items()) if type(key) is str and not key.startswith("_")}
        kept.update(_mapping(public, budget, depth))
    return kept


def _namespace(value: Any, kind: type) -> dict[str, Any] | None:
    """An instance's own dictionary, if its class has not put anything else in its place."""
    for each in kind.__mro__:
        descriptor = each.__dict__.get("__dict__")
        if descriptor is not None:
            if type(descriptor) is not GetSetDescriptorType:
                return None
            found = descriptor.__get__(value)
            return found if type(found) is dict else None
    return None


def _name(kind: type) -> str:
    return f"{type.__getattribute__(kind, '__module__')}.{type.__getattribute__(kind, '__qualname__')}"
