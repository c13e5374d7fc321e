"""A table of where a message's fields are, beside the extractor that reads them: what most messages are read by, in C.

An extractor is Python, complete, and the truth. Most messages need a small part of it: the same attributes, of the same types,
of the same few objects. `reading` says which, as data, and the compiled part writes such a message at once, without a call
and without a dictionary (`compiled/reading.c`). Any other message, and each where there is no compiled part, is read by
the extractor.

A table may leave a message to the extractor, and may never say anything else: tests/tracer/test_reading.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace.native import native

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ALWAYS: Final = 0
"""A field that every message has: a string, bytes, an integer, a boolean or None."""
GIVEN: Final = 1
"""The same, left out when it is None."""
TEXT: Final = 2
"""A string, left out when it is None."""
TRUTHY: Final = 3
"""A string, left out when it is None or empty."""
COUNTED: Final = 4
"""An integer, left out when it is None or negative."""
NUMBER: Final = 5
"""An integer of any class, as a plain one; left out when it is None."""
PAIRS: Final = 6
"""Names and values, in a dictionary or in a list of tuples; left out when there are none."""

_ATTRIBUTE, _ITEM, _ITEM_OF_SLOT, _HELD = range(4)

ABSENT: Final[Any] = object() if native is None else native.ABSENT
"""Of a condition: there is no such attribute."""


class Common:
    """What messages of the same objects have in common: found out once for them, by an extractor of its own.

    Args:
        read: has the parameters of the message's extractor; None where it can't be kept.
        of: paths of the objects. Strings and integers are compared, all others must be referable weakly.
    """

    __slots__ = ("of", "read")

    def __init__(self, read: Callable[..., Any], of: Sequence[str]) -> None:
        self.read = read
        self.of = of


def reading(
    whole: Callable[..., Any],
    fields: Mapping[str, str | tuple[str, int]],
    *,
    common: Common | None = None,
    names: Mapping[str, str] | None = None,
    only: Mapping[str, Any] | None = None,
    outcome: str | None = None,
) -> Any:
    """An extractor with a table beside it; as a function it is the extractor.

    A path begins with a parameter of the extractor or a name, and goes on with attributes and items: `self.config[acks]`,
    `result.args[1]`, and `self.consumers[:tag]` for the item whose key is the parameter or name `tag`. `coro{Message}` is
    the first instance of a class of that name that an object refers to: of a coroutine, an argument. `properties?.headers`
    is None where `properties` is.

    Args:
        whole: the extractor.
        fields: of the message, in their order, `body` last: its path, and a rule unless that is `ALWAYS`. One may be in
            the message's settings: `settings.leader_epoch`.
        common: the first fields.
        names: paths that others begin with.
        only: conditions: a path, and the value that it must lead to (None, a boolean, a string, an integer), or `ABSENT`.
        outcome: the message's `outcome`.
    """
    if native is None:
        return whole
    function: Any = whole
    code = function.__code__
    positional: int = code.co_argcount
    parameters: tuple[str, ...] = code.co_varnames[: positional + code.co_kwonlyargcount]
    defaults = [ABSENT] * len(parameters)
    given = function.__defaults__ or ()
    defaults[positional - len(given) : positional] = given
    for name, value in (function.__kwdefaults__ or {}).items():
        defaults[parameters.index(name)] = value
    slots = {name: slot for slot, name in enumerate(parameters)}
    paths: list[Any] = []
    for name, path in (names or {}).items():
        paths.append(_path(path, slots))
        slots[name] = len(slots)
    return native.Reading(
        whole,
        None if common is None else common.read,
        parameters,
        tuple(defaults),
        positional,
        tuple(paths),
        () if common is None else tuple([_path(each, slots) for each in common.of]),
        tuple([(_path(path, slots), value) for path, value in (only or {}).items()]),
        tuple([_field(name, told, slots) for name, told in fields.items()]),
        outcome,
    )


def _path(path: str, slots: Mapping[str, int]) -> tuple[int, tuple[tuple[int, str | int, bool], ...]]:
    parts = path.replace("[", ".[").replace("{", ".{").split(".")
    steps = [(*_step(each.rstrip("?"), slots), parts[i][-1] == "?") for i, each in enumerate(parts[1:])]
    return slots[parts[0].rstrip("?")], tuple(steps)


def _step(step: str, slots: Mapping[str, int]) -> tuple[int, str | int]:
    inner = step[1:-1]
    if step[0] == "{":
        return _HELD, inner
    if step[0] != "[":
        return _ATTRIBUTE, step
    if inner[0] == ":":
        return _ITEM_OF_SLOT, slots[inner[1:]]
    return _ITEM, int(inner) if inner.isdecimal() else inner


def _field(
    name: str, told: str | tuple[str, int], slots: Mapping[str, int]
) -> tuple[Any, bytes, tuple[str, ...], int, bool]:
    path, rule = (told, ALWAYS) if isinstance(told, str) else told
    of, _, setting = name.rpartition(".")
    encoded = _text(of) + b"\x81" + _text(setting) if of else _text(name)
    return _path(path, slots), encoded, ("body",) if name == "body" else (), rule, bool(of)


def _text(name: str) -> bytes:
    """A name of at most 31 characters in MessagePack."""
    return bytes([0xA0 | len(name)]) + name.encode("ascii")


class NotesInPython:
    """What `_native.Notes` is, for where there is none."""

    __slots__ = ("latest", "next")


if TYPE_CHECKING or native is None:  # noqa: SIM108 - type checkers follow no conditional expression
    Notes = NotesInPython
else:
    Notes = native.Notes


def noting(whole: Callable[..., Any], notes: str, place: str) -> Any:
    """A `done` that appends an operation to notes of those before it, in C where it follows them.

    Args:
        whole: what does it in Python, and where it doesn't follow them.
        notes: path of the `Notes`: `latest` is the list, `next` the place of the operation that would follow.
        place: path of the operation's place.
    """
    return reading(whole, {}, names={"notes": notes, "place": place})


def forget(read: Any) -> None:
    """What messages of the same objects have in common may have become something else."""
    if native is not None and type(read) is native.Reading:
        read.forget()
