"""pyee: events emitted on an `EventEmitter`, and the listeners that run for them.

Wrapped: `EventEmitter.emit` of the base class, which every kind's `emit` ends in, and each kind's `_emit_run`, which runs
one listener; never the listener itself, so `remove_listener`, `listeners` and `once` see what they always saw.
An asyncio or executor listener goes on after `_emit_run` has returned: it ends with the future that is made inside.
An uplifted emitter has an `emit` of its own, which goes past that of its class: there `_call_handlers` is the emit.

Not seen: the end of listeners of the trio and twisted kinds (their `_emit_run` returns at once and makes no future).
"""

from __future__ import annotations

import sys
from enum import Enum
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.context import CURRENT, Handling, Sending
from msgtrace.hook import Found, Hook, Point, Process, Send, Spawned
from msgtrace.snapshot import snapshot

if TYPE_CHECKING:
    from types import FrameType

    from msgtrace.records import Message


def emitted(self: Any, event: Any, *args: Any, **kwargs: Any) -> Message | None:
    """An emit. The emitter tells of its own listeners through `new_listener`, which is news only to who listens to it."""
    plain = type(event) is str
    if plain and event == "new_listener" and event not in self._events:
        return None
    if plain and args and event in _FAILURES:
        _note_failure(event, args[0])
    return {
        "channel": interning.type_text(type(self)),
        "channel_kind": "bus",
        "routing_key": event if plain else name_of(event),
        "data": snapshot(args, kwargs, interning.settings.snapshot_nodes, interning.settings.body_limit),
    }


_FAILURES: Final = frozenset({"error", "failure"})
"""What the asyncio and twisted kinds emit when a listener has raised, in place of letting the exception out."""


def _note_failure(event: str, failure: Any) -> None:
    """Keep a listener's exception for the end of its operation, if it is `_emit_run` that is emitting it."""
    running = CURRENT.get()
    if type(running) is not Handling:
        return
    caller = _caller()
    if caller.f_code.co_name == "_emit_run" and caller.f_globals.get("__name__", "").startswith("pyee."):
        # Twisted's Failure, itself an exception, has the listener's own as its value.
        error = getattr(failure, "value", None) if event == "failure" else failure
        if issubclass(type(error), BaseException):
            running.swallowed = error


def _caller() -> FrameType:
    """Who called the emitter: the first frame that is neither ours nor an `emit` of pyee's."""
    frame = sys._getframe(2)  # noqa: SLF001 - the documented way to a frame without a traceback
    while frame.f_back is not None:
        ours = frame.f_globals.get("__name__", "").startswith("msgtrace.")
        if not ours and not (frame.f_code.co_name == "emit" and "/pyee/" in frame.f_code.co_filename):
            break
        frame = frame.f_back
    return frame


def uplifted(self: Any, event: Any, args: Any, kwargs: Any) -> Message | None:
    """An emit on an uplifted emitter; on the emitter at its other side too, if that has listeners for it."""
    caller = _caller()
    if caller.f_code.co_name != "wrapped_emit" or caller.f_globals.get("__name__") != "pyee.uplift":
        return None
    if caller.f_locals.get("left") is not self and event not in self._events:
        return None
    return emitted(self, event, *args, **kwargs)


def name_of(event: Any) -> str:
    """An event name that is no plain string, told without calling anything of it: an enumeration's member, a number."""
    kind = type(event)
    if kind in {int, float, bool, type(None)}:
        return str(event)
    if issubclass(kind, Enum):
        name = Enum.__dict__["name"].__get__(event, kind)
        return f"{kind.__qualname__}.{name}"
    return str.__str__(event) if issubclass(kind, str) else f"<{kind.__qualname__}>"


def ran(self: Any, f: Any, args: Any, kwargs: Any) -> Message | None:
    """One listener of the emit that is going on around it."""
    emit = CURRENT.get()
    if type(emit) is not Sending:
        return None
    return {
        "channel": interning.type_text(type(self)),
        "channel_kind": "bus",
        "link": emit.sequences,
        "handler": interning.handler(listener(f)),
    }


def listener(f: Any) -> Any:
    """What was registered: `once` registers a closure around it."""
    if type(f) is FunctionType and f.__code__.co_qualname == "EventEmitter.once.<locals>._wrapper.<locals>.g":
        return dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))["f"].cell_contents
    return f


def registered(emitter: Any) -> list[Message]:
    """The listeners that an emitter has."""
    return [
        {
            "channel": interning.type_text(type(emitter)),
            "channel_kind": "bus",
            "routing_key": name_of(event),
            "handler": interning.handler(listener(f)),
        }
        for event, listeners in tuple(vars(emitter).get("_events", {}).items())
        for f in tuple(listeners)
    ]


SPAWNING = Process(read=ran, spawns=True)

HOOK = Hook(
    library="pyee",
    system="pyee",
    distribution="pyee",
    versions=">=11,<14",
    points=(
        Point("pyee.base:EventEmitter.emit", Send(read=emitted, scope=True)),
        Point("pyee.base:EventEmitter._emit_run", Process(read=ran)),
        Point("pyee.asyncio:AsyncIOEventEmitter._emit_run", SPAWNING),
        Point("pyee.asyncio:ensure_future", Spawned()),
        Point("pyee.executor:ExecutorEventEmitter._emit_run", SPAWNING),
        Point("concurrent.futures.thread:ThreadPoolExecutor.submit", Spawned()),
        Point("pyee.trio:TrioEventEmitter._emit_run", Process(read=ran)),
        Point("pyee.twisted:TwistedEventEmitter._emit_run", Process(read=ran)),
        # By the name that it has in this module, so that only programs that uplift pay for it.
        Point("pyee.uplift:EventEmitter._call_handlers", Send(read=uplifted, scope=True)),
    ),
    found=(Found("pyee.base:EventEmitter", "subscribe", registered),),
)
