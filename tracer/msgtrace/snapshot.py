"""A copy of an in-process event's arguments as plain data, bounded, calling nothing of the program's.

Most events are plain data and small: they are found to be so and not copied at all.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any, Final

from msgtrace.bare_class import full_name
from msgtrace.native import MAX_DEPTH, native
from msgtrace.object_copy import ARGS, CUT, MAX_DECIMAL_BYTES, TYPE, copied

__all__ = ["CUT", "TYPE", "snapshot", "stand_in", "without_surrogates"]

# A class is looked up only when its metaclass is known to be `type`: looking it up asks the metaclass for a hash.
_ATOMS: Final = frozenset({type(None), bool, float, dt.date, uuid.UUID})
_TIMES: Final = frozenset({dt.datetime, dt.time})
_LISTS: Final = frozenset({list, tuple, set, frozenset})
_plain: Final[Any] = None if native is None else native.plain
"""`_left is not None` in C, for what is of JSON's types; None for what isn't."""


def snapshot(args: tuple[Any, ...], kwargs: dict[str, Any], nodes: int, size: int) -> Any:
    """Make a call's arguments fit to be encoded at once.

    Args:
        args: positional arguments.
        kwargs: named arguments.
        nodes: at most so many values are kept.
        size: at most so many characters and bytes of text, of binary values and of keys are kept.

    Returns:
        the one positional argument if there is only that, else the named ones if there are only those, else
        `{"args": [...], **kwargs}`; `$args` if an argument is named so. Small plain data is returned as it is and not
        copied: the caller encodes it before anything else can run in this thread, and never keeps it.
    """
    if len(args) == 1 and not kwargs:
        value: Any = args[0]
        if type(value) is str and len(value) <= size:
            return value
    elif args:
        value = {"$args" if ARGS in kwargs else ARGS: args, **kwargs}
    else:
        value = kwargs
    plain = None if _plain is None else _plain(value, nodes, size)
    if plain or (plain is None and _left(value, nodes, size, 0) is not None):
        return value
    return copied(value, nodes, size)


def _left(value: Any, nodes: int, size: int, depth: int) -> tuple[int, int] | None:  # noqa: C901, PLR0912 - unrolled: it runs for every event
    """How much of `nodes` and `size` is left when `value` is plain data within them; None when it is not.

    One loop a container and no call a value: this runs for every event.
    """
    kind = type(value)
    if kind is dict:
        nodes -= len(value) + 1
        if nodes < 0 or depth >= MAX_DEPTH:
            return None
        # tuple(): one C call, so that no other thread changes what is looped over.
        keys = tuple(value)
        for key in keys:
            if type(key) is not str:
                return None
        size -= sum(map(len, keys))
        values = tuple(value.values())
    elif type(kind) is type and kind in _LISTS:
        nodes -= len(value) + 1
        if nodes < 0 or depth >= MAX_DEPTH:
            return None
        values = tuple(value)
    else:
        nodes -= 1
        values = (value,) if kind is not bytes else ()
        if kind is bytes:
            size -= len(value)
    for each in values:
        kind = type(each)
        if kind is str:
            size -= len(each)
        elif kind is int:
            if not -(2**63) <= each < 2**64:
                return None
        elif type(kind) is not type:
            return None
        elif kind in _ATOMS:
            continue
        elif kind is dict or kind in _LISTS or kind is bytes:
            inner = _left(each, nodes + 1, size, depth + 1)
            if inner is None:
                return None
            nodes, size = inner
        elif kind in _TIMES:
            if each.tzinfo is not None and type(each.tzinfo) is not dt.timezone:
                return None
        elif kind is not decimal.Decimal or each.__sizeof__() > MAX_DECIMAL_BYTES:
            return None
    return (nodes, size) if size >= 0 and nodes >= 0 else None


def stand_in(value: Any) -> Any:
    """For the encoder: what stands for a value of a type that it has no form for. Calls nothing of the value's."""
    return full_name(type(value))


def without_surrogates(value: Any) -> Any:
    """The same plain data with a replacement character for each lone surrogate, which UTF-8 has no form for."""
    kind = type(value)
    if kind is str:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if kind is dict:
        return {without_surrogates(key): without_surrogates(each) for key, each in tuple(value.items())}
    if type(kind) is type and kind in _LISTS:
        return [without_surrogates(each) for each in tuple(value)]
    return value
