"""A copy of an in-process event's arguments as plain data, bounded, calling nothing of the program's.

Only exact built-in types are walked. An object of another type is its type's name and, where it keeps its attributes in
an ordinary namespace, the public ones of those: read from the namespace itself, past any property or `__getattr__`.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from types import GetSetDescriptorType
from typing import Any, Final

TYPE: Final = "$type"
"""Key under which an object's type stands."""
CUT: Final = "$cut"
"""Key, or type name, of what was left out for its size."""

_ATOMS: Final = frozenset(
    {type(None), bool, int, float, datetime.datetime, datetime.date, datetime.time, decimal.Decimal, uuid.UUID}
)
_LISTS: Final = frozenset({list, tuple, set, frozenset})
MAX_DEPTH: Final = 16


class _Budget:
    __slots__ = ("bytes", "nodes")

    def __init__(self, nodes: int, size: int) -> None:
        self.nodes = nodes
        self.bytes = size


def snapshot(args: tuple[Any, ...], kwargs: dict[str, Any], nodes: int, size: int) -> Any:
    """Copy a call's arguments.

    Args:
        args: positional arguments.
        kwargs: named arguments.
        nodes: at most so many values are kept.
        size: at most so many characters and bytes of text and binary values are kept.

    Returns:
        the one positional argument if there is only that, else the named ones if there are only those, else
        `{"args": [...], **kwargs}`.
    """
    budget = _Budget(nodes, size)
    if len(args) == 1 and not kwargs:
        return _copy(args[0], budget, 0)
    if not args:
        return _mapping(kwargs, budget, 0)
    return {"args": [_copy(each, budget, 0) for each in args], **_mapping(kwargs, budget, 0)}


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
