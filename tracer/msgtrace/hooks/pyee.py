"""pyee: events emitted on an `EventEmitter`, and the listeners that run for them.

Wrapped: `EventEmitter.emit` of the base class, which every kind's `emit` ends in, and each kind's `_emit_run`, which runs
one listener; never the listener itself, so `remove_listener`, `listeners` and `once` see what they always saw.
An asyncio or executor listener goes on after `_emit_run` has returned: it ends with the future that is made inside.

Not seen: the end of listeners of the trio and twisted kinds (their `_emit_run` returns at once and makes no future).
"""

from __future__ import annotations

from enum import Enum
from types import FunctionType
from typing import TYPE_CHECKING, Any

from msgtrace import interning
from msgtrace.context import CURRENT
from msgtrace.hook import Hook, Point, Process, Send, Spawned
from msgtrace.snapshot import snapshot

if TYPE_CHECKING:
    from msgtrace.records import Message


def emitted(self: Any, event: Any, *args: Any, **kwargs: Any) -> Message | None:
    """An emit. The emitter tells of its own listeners through `new_listener`, which is news only to who listens to it."""
    plain = type(event) is str
    if plain and event == "new_listener" and event not in self._events:
        return None
    return {
        "channel": interning.type_text(type(self)),
        "channel_kind": "bus",
        "routing_key": event if plain else name_of(event),
        "data": snapshot(args, kwargs, interning.settings.snapshot_nodes, interning.settings.body_limit),
    }


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
    if emit is None or type(emit.sequences) is not int:
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
    ),
)
