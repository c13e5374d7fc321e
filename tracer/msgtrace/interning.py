"""What hooks may ask of the recorder: numbers for things that repeat. The one place where extractors touch state.

Numbers are the process's own; a forked child has others, so a hook must not keep them beyond the call.
"""

from __future__ import annotations

import functools
from itertools import count
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, ref

from msgtrace.records import CONNECTIONS, HANDLERS, TEXTS
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from msgtrace.recorder import Recorder

_recorder: Recorder | None = None
_texts: dict[str, int] = {}
settings = Settings()
connections: dict[int, tuple[ref[Any], int]] = {}
"""Identity of a connection's object -> the object and its number. For hooks to look at before they ask `connection`."""
_promised: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
_handlers: dict[int, tuple[CodeType, int]] = {}
_types: dict[type, int] = {}
_owners = count()
MAX_TYPES: Final = 1_000
"""Classes are kept alive by being known; a program that makes classes without end starts us anew."""
MAX_HANDLERS: Final = 10_000


def bind(recorder: Recorder, chosen: Settings) -> None:
    """Use a recorder from now on."""
    global _recorder, _texts, settings  # noqa: PLW0603 - one recorder a process
    _recorder, settings = recorder, chosen
    _texts = recorder.numbers[TEXTS]
    for cache in (connections, _promised, _handlers, _types):
        cache.clear()
        recorder.on_adopt.append(cache.clear)


def process() -> bytes:
    """The process whose numbers are given: the same object as long as they hold."""
    return b"" if _recorder is None else _recorder.process_id


def text(value: str) -> str | int:
    """The number of a string that repeats; the string itself when there is no room for more."""
    known = _texts.get(value)
    if known is not None:
        return known
    return value if _recorder is None else _recorder.number(TEXTS, value) or value


def texts() -> dict[str, int]:
    """The strings that have numbers."""
    return _texts


def type_name(kind: type) -> str:
    """A class's full name."""
    return f"{kind.__module__}.{kind.__qualname__}"


def type_text(kind: type) -> str | int:
    """The number of a class's full name, e.g. for a channel that is a bus of that class."""
    known = _types.get(kind)
    if known is not None:
        return known
    number = text(type_name(kind))
    if type(number) is int:
        if len(_types) >= MAX_TYPES:
            _types.clear()
        _types[kind] = number
    return number


def connection(owner: Any, describe: Callable[[Any], dict[str, Any] | None]) -> int:
    """The number of a connection.

    Args:
        owner: the library's connection object, held weakly.
        describe: its facts, asked for once: `server_address`, `server_port`, `virtual_host`, `user`, `tls`, ...; never
            a password. None while they are not known: then `fulfil` tells them.
    """
    if _recorder is None:
        return 0
    known = connections.get(id(owner))
    if known is not None and known[0]() is owner:
        return known[1]
    try:
        weak = ref(owner, functools.partial(_forget_identity, id(owner)))
    except TypeError:  # not weakly referable
        return 0
    facts = describe(owner)
    if facts is None:
        number = _recorder.reserve()
        _promised[owner] = number
    else:
        number = _recorder.number(CONNECTIONS, ("connection", next(_owners)), facts)
    if number:
        connections[id(owner)] = (weak, number)
    return number


def server(host: str, port: int, *, tls: bool) -> int:
    """The number of a server that is talked to by whatever connection; 0 when there is no room for more."""
    if _recorder is None:
        return 0
    key = ("server", host, port, tls)
    known = _recorder.numbers[CONNECTIONS].get(key)
    if known is not None:
        return known
    return _recorder.number(CONNECTIONS, key, {"server_address": host, "server_port": port, "tls": tls})


def _forget_identity(identity: int, dead: ref[Any]) -> None:
    known = connections.get(identity)
    if known is not None and known[0] is dead:
        del connections[identity]


def fulfil(owner: Any, describe: Callable[[Any], dict[str, Any] | None]) -> None:
    """Tell the facts of a connection that had none when its number was given, if they are known by now."""
    number = _promised.get(owner)
    if number is None or _recorder is None:
        return
    facts = describe(owner)
    if facts is not None:
        _recorder.define(CONNECTIONS, number, facts)
        _promised.pop(owner, None)


def forget(owner: Any) -> None:
    """Give the connection another number from now on: it leads somewhere else."""
    connections.pop(id(owner), None)
    _promised.pop(owner, None)


def handler(callback: Any) -> int:
    """The number of a function that handles messages. Nothing of the program's is called to find out.

    Args:
        callback: a function, method, partial or callable object.
    """
    if _recorder is None:
        return 0
    function = callback if type(callback) is FunctionType and not callback.__dict__ else _function(callback)
    if function is None:
        return 0
    code: CodeType = function.__code__
    known = _handlers.get(id(code))
    if known is not None:
        return known[1]
    if len(_handlers) >= MAX_HANDLERS:
        _handlers.clear()
    place = (code.co_filename, code.co_firstlineno, code.co_qualname)
    number = _recorder.number(HANDLERS, place, _described(function))
    _handlers[id(code)] = (code, number)
    return number


def _function(callback: Any) -> FunctionType | None:
    for _ in range(20):
        kind = type(callback)
        if kind is FunctionType:
            inner = callback.__dict__.get("__wrapped__")
            if type(inner) is not FunctionType:
                return callback  # type: ignore[no-any-return]  # narrowed by exact type
            callback = inner
        elif kind is MethodType:
            callback = callback.__func__  # pyright: ignore[reportFunctionMemberAccess]  # it keeps the type of the branch above
        elif kind is functools.partial:
            callback = callback.func  # pyright: ignore[reportFunctionMemberAccess]  # as above
        else:
            callback = next((vars(c)["__call__"] for c in kind.__mro__ if "__call__" in vars(c)), None)
            if type(callback) is not FunctionType:
                return None
    return None


def _described(function: FunctionType) -> dict[str, Any]:
    code = function.__code__
    lines = [line for _, _, line in code.co_lines() if line]
    doc = function.__doc__
    module = function.__globals__.get("__name__")
    return {
        "path": code.co_filename,
        "line": code.co_firstlineno,
        "end_line": max(lines, default=code.co_firstlineno),
        "name": code.co_qualname,
        "module": module if type(module) is str else "",
        "doc": doc[:2000] if type(doc) is str else "",
    }
