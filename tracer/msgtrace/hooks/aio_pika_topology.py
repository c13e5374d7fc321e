"""aio_pika: what is declared, bound, subscribed, connected and closed.

All of it is read after the call from a method of `aiormq.channel.Channel` or `aiormq.connection.Connection`, so that
names and counts which the broker chose are known, and what a robust connection repeats is seen as often as it happens.
`settings["action"]` says what was done; the other settings are the method's own arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from msgtrace import interning
from msgtrace.hook import Observe, Point
from msgtrace.hooks.aio_pika_deliveries import callback_of, queue_of
from msgtrace.hooks.aio_pika_values import described, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace.records import Kind, Message

_NO_SETTING: Final = frozenset({"nowait", "timeout"})
_CALLED: Final = {"source": "exchange", "global_": "global"}
_COUNTS: Final = ("message_count", "consumer_count")
_closed: WeakSet[Any] = WeakSet()


def _through(channel: Any, action: str, **settings: Any) -> Message:
    """Something done through an aiormq channel."""
    return {
        "connection": interning.connection(channel.connection, described),
        "delivery_channel": channel.number,
        "settings": {"action": action, **settings},
    }


def _on(message: Message, kind: str, name: Any) -> Message:
    message["channel_kind"] = kind
    message["channel"] = interning.text(name if type(name) is str else str(name or ""))
    return message


def noted(action: str, kind: str = "", **defaults: Any) -> Callable[..., Message]:
    """A reader of one method.

    Args:
        action: what the method does.
        kind: what its first parameter names, exchange or queue; '' if neither.
        defaults: the method's parameters and their defaults, in order.
    """
    names = tuple(defaults)

    def read(result: Any, self: Any, *args: Any, **kwargs: Any) -> Message:
        given = {**defaults, **dict(zip(names, args, strict=False)), **kwargs}
        name = given.pop(names[0]) if kind else None
        given |= {each: getattr(result, each) for each in _COUNTS if hasattr(result, each)}
        if action == "declare" and not name:
            name = getattr(result, "queue", "")
            given["anonymous"] = True
        routing_key, tag = given.pop("routing_key", None), given.pop("consumer_tag", None)
        message = _through(
            self,
            action,
            **{_CALLED.get(each, each): plain(value) for each, value in given.items() if each not in _NO_SETTING},
        )
        if kind:
            _on(message, kind, name)
        if routing_key is not None:
            message["routing_key"] = routing_key
        if tag is not None:
            message["consumer_tag"] = tag
            _on(message, "queue", queue_of(self, tag))
        return message

    return read


# ---- consumers ------------------------------------------------------------------------------------------------------


def consumed(
    result: Any,
    self: Any,
    queue: str,
    consumer_callback: Any,
    *,
    no_ack: bool = False,
    exclusive: bool = False,
    arguments: Any = None,
    consumer_tag: str | None = None,
    timeout: Any = None,
) -> Message:
    """A subscription to a queue. An iterator's has no handler."""
    message = _through(self, "consume", no_ack=no_ack, exclusive=exclusive, arguments=plain(arguments))
    tag = getattr(result, "consumer_tag", consumer_tag)
    if tag is not None:
        message["consumer_tag"] = tag
    callback = callback_of(consumer_callback, queue)
    if callback is not None:
        message["handler"] = interning.handler(callback)
    return _on(message, "queue", queue)


def consuming(channel: Any) -> list[Message]:
    """The consumers that a channel has already. Whether they acknowledge, it does not know any more."""
    messages = []
    for tag, callback in tuple(channel.consumers.items()):
        queue = queue_of(channel, tag)
        message = _through(channel, "consuming")
        message["consumer_tag"] = tag
        own = callback_of(callback, queue)
        if own is not None:
            message["handler"] = interning.handler(own)
        messages.append(_on(message, "queue", queue) if queue else message)
    return messages


def cancelled(result: Any, self: Any, frame: Any) -> Message | None:
    """A consumer that the broker cancelled: its queue was deleted, or a node went away."""
    if frame.name != "Basic.Cancel":
        return None  # the answer to basic_cancel, which is recorded itself
    message = _through(self, "cancelled by the broker")
    message["consumer_tag"] = frame.consumer_tag
    return _on(message, "queue", queue_of(self, frame.consumer_tag))


# ---- connections ----------------------------------------------------------------------------------------------------


def connected(result: Any, self: Any, client_properties: Any = None) -> Message:
    """An attempt to connect; a robust connection makes one each time."""
    facts = described(self)
    name = (client_properties or {}).get("connection_name")
    if name is not None:
        facts["connection_name"] = plain(name)
    return {"connection": interning.connection(self, lambda _: facts), "settings": {"action": "connect", **facts}}


def closed(result: Any, self: Any, exc: Any = None) -> Message | None:
    """A connection's end, with an `error` when it was not the program's will."""
    if self in _closed or not hasattr(self, "_writer_task"):
        return None  # aiormq calls this once more when its reader has ended, and when it never connected
    _closed.add(self)
    settings: dict[str, Any] = {"action": "close"}
    if isinstance(exc, BaseException):
        settings["error"] = type(exc).__name__
        settings["reason"] = [each for each in exc.args if type(each) in {str, int}]
    return {"connection": interning.connection(self, described), "settings": settings}


def channel_closed(result: Any, self: Any, frame: Any) -> Message:
    """A channel that the broker closed: it was asked for what is not there, or told the same thing twice."""
    return _through(self, "channel closed by the broker", reply_code=frame.reply_code, reply_text=frame.reply_text)


# ---- points ---------------------------------------------------------------------------------------------------------


def _channel(method: str, read: Callable[..., Message | None], kind: Kind = "declare") -> Point:
    return Point(f"aiormq.channel:Channel.{method}", Observe(kind=kind, read=read))


_EXCHANGE: Final = {"exchange": "", "exchange_type": "direct", "passive": False, "durable": False}
_QUEUE: Final = {"queue": "", "passive": False, "durable": False, "exclusive": False}
_EXCHANGES: Final = {"destination": "", "source": "", "routing_key": ""}
_QUEUE_EXCHANGE: Final = {"queue": "", "exchange": "", "routing_key": ""}

POINTS: Final = (
    _channel(
        "exchange_declare",
        noted("declare", "exchange", **_EXCHANGE, auto_delete=False, internal=False, arguments=None),
    ),
    _channel("exchange_delete", noted("delete", "exchange", exchange="", if_unused=False)),
    _channel("exchange_bind", noted("bind", "exchange", **_EXCHANGES, arguments=None)),
    _channel("exchange_unbind", noted("unbind", "exchange", **_EXCHANGES, arguments=None)),
    _channel("queue_declare", noted("declare", "queue", **_QUEUE, auto_delete=False, arguments=None)),
    _channel("queue_bind", noted("bind", "queue", **_QUEUE_EXCHANGE, nowait=False, arguments=None)),
    _channel("queue_unbind", noted("unbind", "queue", **_QUEUE_EXCHANGE, arguments=None)),
    _channel("queue_delete", noted("delete", "queue", queue="", if_unused=False, if_empty=False)),
    _channel("queue_purge", noted("purge", "queue", queue="")),
    _channel("basic_qos", noted("qos", prefetch_size=0, prefetch_count=0, global_=False)),
    _channel("basic_consume", consumed, "subscribe"),
    _channel("basic_cancel", noted("cancel", consumer_tag=""), "subscribe"),
    _channel("_on_cancel_frame", cancelled, "subscribe"),
    _channel("tx_select", noted("begin transaction"), "call"),
    _channel("tx_commit", noted("commit transaction"), "call"),
    _channel("tx_rollback", noted("roll back transaction"), "call"),
    _channel("_on_close_frame", channel_closed, "connect"),
    Point("aiormq.connection:Connection.connect", Observe(kind="connect", read=connected)),
    Point("aiormq.connection:Connection._on_close", Observe(kind="connect", read=closed)),
)
