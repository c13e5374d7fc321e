"""`--sample`: which messages are recorded when not all of them are. Wraps the extractors; without it, none of this is loaded.

Sender and receiver must come to the same answer, and all they share is what goes over the wire. So it decides: the id of the
conversation, where the message carries one; else its channel, whose messages are then all recorded, or none of them
(docs/decisions/0015-a-sample-is-of-conversations.md). What has no wire is its cause's: that is known where records are read.

A message that is left out has a record all the same, of a few bytes: so that it is counted, and that what follows from it is
known to do so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from msgspec.structs import replace

from msgtrace import interning
from msgtrace.context import CURRENT
from msgtrace.hook import Late, Several
from msgtrace.records import LEFT_OUT_CHANNEL, LEFT_OUT_CONVERSATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace.hook import Action, Part
    from msgtrace.records import Message

_WIDTH: Final = 32
_MASK: Final = (1 << _WIDTH) - 1
_CORRELATION: Final = frozenset({
    "correlation-id", "correlation_id", "correlationid", "x-correlation-id",
    "conversation-id", "conversation_id", "conversationid", "x-conversation-id",
})  # fmt: skip
_BUS: Final = "bus"
_REQUESTS: Final = frozenset({"trigger", "call"})
_FACTS: Final = frozenset({"declare", "subscribe", "connect"})
"""What is told of brokers and subscriptions, and is recorded whatever the sample is."""
_KINDS: Final = frozenset({"send", "receive"}) | _REQUESTS | _FACTS
_KEPT: Final = ("channel", "handler", "link", "receipt")
MOST_PLACES: Final = 10_000
_places: dict[tuple[Any, ...], bool] = {}
"""What was decided of channels, by rate and how a message names its own: numbers of one process."""
_of: list[bytes] = [b""]
_names: dict[int, str] = {}


def chosen(key: bytes, rate: float) -> bool:
    """Whether what goes by this key is in a sample: the same answer everywhere, and of a larger sample too.

    >>> chosen(b"4bf92f3577b34da6a3ce929d0e0e4736", 1.0)
    True
    """
    # CRC-32, and MurmurHash3's finaliser over it: near ids are as far apart as any. It costs a fifth of a microsecond.
    mixed = crc32(key)
    mixed = ((mixed ^ (mixed >> 16)) * 0x85EBCA6B) & _MASK
    mixed = ((mixed ^ (mixed >> 13)) * 0xC2B2AE35) & _MASK
    return (mixed ^ (mixed >> 16)) < rate * (1 << _WIDTH)


def conversation(message: Message) -> bytes | None:
    """The id of the conversation that a message belongs to, as it carries it; None if it carries none.

    The trace id of its `traceparent`; else its correlation id, the protocol's own or a header's; else, of a request that says
    where the reply is to go, its message id: by that the reply will name it.
    """
    trace = message.get("trace_id")
    if trace is not None:
        return trace.lower().encode()
    said = None
    for name, value in message.get("headers") or ():
        if type(name) is not str:
            continue
        lower = name.lower()
        if lower == "traceparent":
            parts = _text(value).split(b"-")
            if len(parts) >= 4 and len(parts[1]) == 32:
                return parts[1].lower()
        elif said is None and lower in _CORRELATION:
            said = _text(value)
    own = message.get("correlation_id") or said or (message.get("message_id") if message.get("reply_to") else None)
    return _text(own) or None if own else None


def channel(message: Message) -> bytes:
    """What both ends call the place that a message goes through: an AMQP queue's messages name their exchange."""
    name: Any = message.get("channel", "")
    if message.get("channel_kind") == "queue":
        name = (message.get("settings") or {}).get("exchange", "")
    if type(name) is int:
        name = _names.get(name) or _named(name)
    return f"{name}\0{message.get('routing_key', '')}".encode("utf-8", "replace")


def _named(number: int) -> str:
    _names.clear()
    _names.update((value, text) for text, value in interning.texts().items())
    return _names.get(number, "")


def _text(value: Any) -> bytes:
    if type(value) is bytes:
        return value
    return str(value).encode("utf-8", "replace") if type(value) in {str, int} else b""


def left_out(message: Message, kind: str, rate: float) -> int | None:
    """By which way it is left out, as `records.LEFT_OUT_*`; 0 for what is recorded, None for what its cause decides."""
    if kind in _FACTS:
        return 0
    key = conversation(message)
    if key is not None:
        return 0 if chosen(key, rate) else LEFT_OUT_CONVERSATION
    if kind in _REQUESTS:
        return None
    if message.get("channel_kind") == _BUS:
        cause = CURRENT.get()
        if cause is not None and cause.sequences:
            return None
    return 0 if _goes_with_channel(message, rate) else LEFT_OUT_CHANNEL


def _goes_with_channel(message: Message, rate: float) -> bool:
    process = interning.process()
    if _of[0] is not process:
        _of[0] = process
        _places.clear()
        _names.clear()
    settings = message.get("settings")
    exchange = settings.get("exchange") if settings and message.get("channel_kind") == "queue" else None
    place = (message.get("channel"), message.get("routing_key"), exchange, rate)
    known = _places.get(place)
    if known is None:
        if len(_places) >= MOST_PLACES:
            _places.clear()
        known = _places[place] = chosen(channel(message), rate)
    return known


def _stub(message: Message, way: int) -> Message:
    whole: Any = message
    kept: Any = {name: whole[name] for name in _KEPT if name in whole}
    kept["left_out"] = way
    stub: Message = kept
    return stub


def sampled(action: Action, rate: float) -> Action:
    """The same action, whose messages are those of a sample."""
    if isinstance(action, Several):
        return replace(action, split=_parts(action.split, rate))
    if action.kind not in _KINDS or isinstance(action, Late) or not hasattr(action, "read"):
        return action
    of: Any = action
    return replace(action, read=_reading(of.read, action.kind, rate))


def _reading(read: Callable[..., Any], kind: str, rate: float) -> Callable[..., Any]:
    def decided(message: Message) -> Message:
        way = left_out(message, kind, rate)
        if way:
            return _stub(message, way)
        if way is not None:
            message["left_out"] = 0  # decided, and whatever follows is none of its causes' business
        return message

    def reading(*args: Any, **kwargs: Any) -> Any:
        found = read(*args, **kwargs)
        if found is None:
            return None
        return [decided(each) for each in found] if type(found) is list else decided(found)

    return reading


def _parts(split: Callable[..., list[Part] | None], rate: float) -> Callable[..., list[Part] | None]:
    known: dict[int, tuple[Action, Action]] = {}

    def parts(*args: Any, **kwargs: Any) -> list[Part] | None:
        found = split(*args, **kwargs)
        if found is None:
            return None
        chosen_parts: list[Part] = []
        for action, arguments, place in found:
            pair = known.get(id(action))
            if pair is None or pair[0] is not action:
                pair = known[id(action)] = (action, sampled(action, rate))
            chosen_parts.append((pair[1], arguments, place))
        return chosen_parts

    return parts
