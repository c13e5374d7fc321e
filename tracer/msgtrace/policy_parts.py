"""What a library's object was set to, in built-in types: for hooks that read declared policies.

Only objects of a library's own classes are looked into, and those by their class's name; everything else is told by what
it is: a class, a function, a type. Nothing of the program's is called.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from math import isfinite
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.bare_class import full_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType, FrameType

MAX_DEPTH: Final = 4
MAX_PARTS: Final = 10
MAX_PLACES: Final = 10_000
"""Code objects are kept alive by being known; a program that makes policies without end is told of again."""


def plain(value: Any) -> Any:
    """A setting as a number of seconds or of times, a text, a list of such; anything else by name."""
    kind = type(value)
    if value is None or kind in {bool, str}:
        return value
    if kind is int:
        return value if -(2**63) <= value < 2**64 else None
    if kind is float:
        return value if isfinite(value) else None
    if kind is timedelta:
        return value.total_seconds()
    if kind in {tuple, list, set, frozenset}:
        return [plain(each) for each in tuple(value)[:MAX_PARTS]]
    return name_of(value)


def name_of(value: Any) -> str:
    """What a function, a class, or another object by its type, is called."""
    if type(value) is MethodType:
        value = value.__func__
    if type(value) is FunctionType:
        return function_name(value)
    return class_name(value) if issubclass(type(value), type) else f"<{class_name(type(value))}>"


def function_name(function: FunctionType) -> str:
    """A function's module and name, as its code has it."""
    module = function.__globals__.get("__name__")
    return f"{module if type(module) is str else '?'}.{function.__code__.co_qualname}"


def class_name(kind: type) -> str:
    """A class's module and name; a built-in one's name alone."""
    return full_name(kind).removeprefix("builtins.")


def error_name(error: Any) -> str | None:
    """The type of an exception."""
    return None if error is None else class_name(type(error))


def parts(value: Any, known: Mapping[str, tuple[str, ...]], depth: int = 0) -> Any:
    """An object of one of a library's classes as `{"is": its class, attribute: value, ...}`; others as `plain` has them.

    Args:
        value: the object.
        known: class's module and name -> its attributes that are settings. They may hold further such objects.
        depth: of this object in what was asked for.
    """
    name = full_name(type(value))
    names = known.get(name)
    if names is None or depth >= MAX_DEPTH:
        return plain(value)
    held = object.__getattribute__(value, "__dict__")
    found: dict[str, Any] = {"is": name.rpartition(".")[2]}
    for each in names:
        part = held.get(each)
        if type(part) in {tuple, list}:
            found[each] = [parts(one, known, depth + 1) for one in tuple(part)[:MAX_PARTS]]
        else:
            found[each] = parts(part, known, depth + 1)
    return found


def caller(*libraries: str) -> FrameType:
    """The frame that called a library: the nearest that is neither ours nor of one of these top modules."""
    frame = sys._getframe(1)  # noqa: SLF001 - the documented way to a frame without a traceback
    while frame.f_back is not None:
        module = frame.f_globals.get("__name__")
        top = module.partition(".")[0] if type(module) is str else ""
        if top != "msgtrace" and top not in libraries:
            break
        frame = frame.f_back
    return frame


def frame_name(frame: FrameType) -> str:
    """The function that a frame runs, as `function_name` has it."""
    module = frame.f_globals.get("__name__")
    return f"{module if type(module) is str else '?'}.{frame.f_code.co_qualname}"


class Places:
    """Which declarations this process has recorded: each is one operation, however often its code runs."""

    __slots__ = ("_known", "_process")

    def __init__(self) -> None:
        self._known: dict[Any, CodeType | None] = {}
        self._process = b""

    def is_new(self, key: Any, code: CodeType | None = None) -> bool:
        """Whether a declaration has not been recorded; from now on it has.

        Args:
            key: what tells it from others: of built-in types.
            code: whose identity is part of `key`, to be kept alive.
        """
        process = interning.process()
        if process is not self._process or len(self._known) >= MAX_PLACES:
            self._known.clear()
            self._process = process
        if key in self._known:
            return False
        self._known[key] = code
        return True
