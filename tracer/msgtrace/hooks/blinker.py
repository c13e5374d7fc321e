"""blinker: signals sent, and the receivers that run for them.

Wrapped: `Signal.send` and `send_async`, and `Signal.receivers_for`, the generator that both call their receivers from;
never a receiver, so weak references and `disconnect` see what they always saw. `receivers_for` called by the program
itself, outside of a send, is not recorded.

Not seen: what a receiver returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from msgtrace import interning
from msgtrace.bare_class import full_name
from msgtrace.context import CURRENT, Sending
from msgtrace.hook import Found, Hook, Point, Receivers, Send
from msgtrace.snapshot import snapshot

if TYPE_CHECKING:
    from msgtrace.records import Message

MAX_SENDER: Final = 200
"""Characters kept of a sender that is text."""


def sent(self: Any, sender: Any = None, /, **kwargs: Any) -> Message | None:
    """A signal's sending. A muted signal reaches nobody and is none."""
    if self.is_muted:
        return None
    kwargs.pop("_async_wrapper", None)
    kwargs.pop("_sync_wrapper", None)
    limits = interning.settings
    return {
        "channel": interning.text(name_of(self)),
        "channel_kind": "bus",
        "data": snapshot((), kwargs, limits.snapshot_nodes, limits.body_limit),
        "settings": {"sender": sender_of(sender)},
    }


def name_of(signal: Any) -> str:
    """What a signal is called, which lies in its own namespace."""
    name = vars(signal).get("name")
    return name if type(name) is str else "anonymous signal"


def sender_of(sender: Any) -> Any:
    """Who sent: a plain value, a class by its name, any other object by its type's."""
    kind = type(sender)
    if sender is None or kind is str or kind is int or kind is bool or kind is float:
        return snapshot((sender,), {}, 1, MAX_SENDER)
    return f"<{full_name(sender if issubclass(kind, type) else kind)}>"


def called(receiver: Any, self: Any, sender: Any) -> Message | None:
    """One receiver of the send that is going on around it."""
    send = CURRENT.get()
    if type(send) is not Sending:
        return None
    return {
        "channel": interning.text(name_of(self)),
        "channel_kind": "bus",
        "link": send.sequences,
        "handler": interning.handler(receiver),
    }


def registered(signal: Any) -> list[Message]:
    """The receivers that a signal has and that still live."""
    kept = [each() if isinstance(each, ref) else each for each in tuple(vars(signal).get("receivers", {}).values())]
    return [
        {"channel": interning.text(name_of(signal)), "channel_kind": "bus", "handler": interning.handler(each)}
        for each in kept
        if each is not None
    ]


HOOK = Hook(
    library="blinker",
    system="blinker",
    distribution="blinker",
    versions=">=1.7,<2",
    points=(
        Point("blinker.base:Signal.send", Send(read=sent, scope=True)),
        Point("blinker.base:Signal.send_async", Send(read=sent, scope=True)),
        Point("blinker.base:Signal.receivers_for", Receivers(read=called)),
    ),
    found=(Found("blinker.base:Signal", "subscribe", registered),),
)
