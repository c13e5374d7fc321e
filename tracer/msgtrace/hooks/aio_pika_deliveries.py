"""aio_pika: messages as the program gets them, and which function of the program gets them.

A delivery names its consumer's tag and not the queue: the queue is remembered from the request to consume.
"""

from __future__ import annotations

import sys
from functools import partial
from operator import attrgetter
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, ref

from msgtrace import interning
from msgtrace.hooks.aio_pika_values import PROPERTIES, RARE_PROPERTIES, carry, described
from msgtrace.reading import Common, forget, reading

if TYPE_CHECKING:
    from msgtrace.records import Message

_consumed: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()
"""aiormq channel -> consumer tag -> queue"""


MAX_KNOWN: Final = 1_000


class _Known:
    """What is known of a consumer.

    Attributes:
        channel, consumer: the objects that it is known of.
        process: the process in which `about` has its meaning.
        about: what its deliveries have in common.
    """

    __slots__ = ("about", "channel", "consumer", "process")

    def __init__(self, channel: Any, consumer: Any, about: Message) -> None:
        self.channel = ref(channel)
        self.consumer = ref(consumer)
        self.process = interning.process()
        self.about = about


_known: dict[tuple[int, str], _Known] = {}
"""identity of an aiormq channel, and consumer tag -> what is known of it"""


# ---- consumers ------------------------------------------------------------------------------------------------------


def consumes(channel: Any, tag: str, queue: str) -> None:
    """Remember which queue a consumer tag of an aiormq channel belongs to."""
    _known.pop((id(channel), tag), None)
    forget(delivered)
    known = _consumed.get(channel, {})
    _consumed[channel] = {each: name for each, name in known.items() if each in channel.consumers} | {tag: queue}


def iterates(iterator: Any) -> None:
    """Remember the queue of an iterator that is there already."""
    queue, tag = iterator._amqp_queue, getattr(iterator, "_consumer_tag", None)  # noqa: SLF001 - as above
    channel = getattr(getattr(queue, "channel", None), "_channel", None)
    channel = getattr(channel, "channel", channel)
    if tag is not None and tag in getattr(channel, "consumers", ()):
        consumes(channel, tag, queue.name)


def queue_of(channel: Any, tag: Any, default: str = "") -> str:
    """The queue that a consumer's deliveries come from; `default` where that can't be known."""
    queue = _consumed.get(channel, {}).get(tag)
    if queue is not None:
        return queue
    # It consumed before we were put into the process. A robust channel keeps the consumers of its queues.
    for callback in tuple(channel.on_return_callbacks):
        for queues in tuple(getattr(getattr(callback, "__self__", None), "_queues", {}).values()):
            for each in tuple(queues):
                if tag in each._consumers:  # noqa: SLF001 - nothing public tells
                    consumes(channel, tag, each.name)
                    return str(each.name)
    return default


def callback_of(consumer: Any, queue: str) -> Any:
    """The program's function behind a consumer; None behind an iterator, whose messages the program fetches.

    Args:
        consumer: what `aiormq.channel.Channel.consumers` holds, or is given to hold.
        queue: the queue consumed, by which the RPC pattern finds its function.
    """
    module = sys.modules.get("aio_pika.queue")
    if type(consumer) is not partial or module is None or consumer.func is not module.consumer:
        return consumer
    callback: Any = consumer.args[0]
    if type(callback) is MethodType and callback.__func__ is vars(module.QueueIterator)["on_message"]:
        return None
    if type(callback) is partial and type(callback.func) is MethodType:
        # The patterns register a method of their own, with the program's function inside.
        method: Any = callback.func
        name = method.__func__.__qualname__
        if name == "RPC.on_call_message":
            callback = method.__self__.routes.get(queue, callback)
        elif name == "Master.on_message":
            callback = callback.args[0]
    if type(callback) is FunctionType and callback.__globals__.get("__name__") == "aio_pika.tools":
        return callback.__dict__.get("__wrapped__", callback)  # made by ensure_awaitable()
    return callback


# ---- deliveries to a callback ---------------------------------------------------------------------------------------


def read_delivered(self: Any, coro: Any) -> Message | None:
    """A delivery, as the task in which its consumer's callback runs is about to be made.

    Requests run in such tasks too. One to consume is the only place that says queue and tag before the first delivery,
    which may well be handled before the reply to the request is.
    """
    frame = getattr(coro, "cr_frame", None)
    if frame is None:
        return None
    arguments = frame.f_locals
    if coro.__qualname__ == "Channel.rpc":
        request = arguments["frame"]
        if request.name == "Basic.Consume":
            consumes(self, request.consumer_tag, request.queue)
        return None
    kind = sys.modules["aiormq.abc"].DeliveredMessage
    message = arguments.get("msg")
    if type(message) is kind:  # by far the most: aio_pika's own callback, around the program's
        return _handed_over(self, message)
    for value in arguments.values():
        # A callback that is no coroutine function is called with `*args`.
        message = value[0] if type(value) is tuple and value else value
        if type(message) is kind:
            return _handed_over(self, message)
    return None


def _consumer(self: Any, coro: Any) -> Message | None:
    """What is the same of all that is delivered to a consumer, where aio_pika's own callback is around the program's."""
    message = coro.cr_frame.f_locals.get("msg")
    if type(message) is not sys.modules["aiormq.abc"].DeliveredMessage or coro.__qualname__ != "consumer":
        return None
    _handed_over(self, message)
    known = _known.get((id(self), message.delivery.consumer_tag))
    return None if known is None else known.about.copy()


delivered = reading(
    read_delivered,
    {
        "routing_key": "delivery.routing_key",
        "delivery_tag": "delivery.delivery_tag",
        "redelivered": "delivery.redelivered",
        "settings.exchange": "delivery.exchange",
        **PROPERTIES,
        "body": "msg.body",
    },
    common=Common(_consumer, ("self", "tag", "self.consumers[:tag]", "coro.cr_code")),
    names={
        "msg": "coro{DeliveredMessage}",
        "delivery": "msg.delivery",
        "tag": "delivery.consumer_tag",
        "properties": "msg.header.properties",
    },
    only=RARE_PROPERTIES,
)


task_of: Final = attrgetter("task")
"""The task in aiormq's `TaskWrapper`."""


def _handed_over(channel: Any, delivered: Any) -> Message | None:
    delivery, properties = delivered.delivery, delivered.header.properties
    tag = delivery.consumer_tag
    consumer = channel.consumers.get(tag)
    known = _known.get((id(channel), tag))
    if (
        known is not None
        and known.consumer() is consumer
        and known.channel() is channel
        and known.process is interning.process()
    ):
        message = known.about.copy()
    else:
        about = _about(channel, tag, consumer, delivery)
        if about is None:
            return None
        message = about
    message["routing_key"] = delivery.routing_key
    message["delivery_tag"] = delivery.delivery_tag
    message["redelivered"] = delivery.redelivered
    message["body"] = delivered.body
    message["settings"] = {"exchange": delivery.exchange}
    carry(message, properties, properties.message_type)
    return message


def _about(channel: Any, tag: str, consumer: Any, delivery: Any) -> Message | None:
    """What a consumer's deliveries have in common, found out; None for those that are no receives."""
    # The default exchange routes by the queue's name.
    queue = queue_of(channel, tag, "" if delivery.exchange else delivery.routing_key)
    callback = callback_of(consumer, queue)
    if callback is None:
        return None
    about: Message = {
        "channel": interning.text(queue),
        "channel_kind": "queue",
        "connection": interning.connection(channel.connection, described),
        "handler": interning.handler(callback),
        "delivery_channel": channel.number,
        "consumer_tag": tag,
    }
    if _settled(consumer) and tag in _consumed.get(channel, {}):
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known[id(channel), tag] = _Known(channel, consumer, about.copy())
    return about


def _settled(consumer: Any) -> bool:
    """Whether a consumer's callback can't become another: patterns register partial functions, and name theirs later."""
    module = sys.modules.get("aio_pika.queue")
    if type(consumer) is not partial or module is None or consumer.func is not module.consumer:
        return False
    return type(consumer.args[0]) is not partial


# ---- messages that the program fetches ------------------------------------------------------------------------------


def got(result: Any, self: Any, **_options: Any) -> Message | None:
    """What `Queue.get` returned."""
    return None if result is None else _fetched(result, self)


def iterated(result: Any, self: Any) -> Message:
    """The message that an iterator handed out."""
    return _fetched(result, self._amqp_queue)


def _fetched(incoming: Any, queue: Any) -> Message:
    channel = incoming._IncomingMessage__channel  # noqa: SLF001 - the public property raises when it is closed
    message: Message = {
        "channel": interning.text(queue.name),
        "channel_kind": "queue",
        "routing_key": incoming.routing_key,
        "connection": interning.connection(channel.connection, described),
        "delivery_channel": channel.number,
        "delivery_tag": incoming.delivery_tag,
        "redelivered": incoming.redelivered,
        "body": incoming.body,
        "settings": {"exchange": incoming.exchange},
    }
    if incoming.consumer_tag is not None:
        message["consumer_tag"] = incoming.consumer_tag
    if incoming.message_count is not None:
        message["settings"]["message_count"] = incoming.message_count
    carry(message, incoming, incoming.type)
    return message


# ---- messages that came back ----------------------------------------------------------------------------------------


def gave_back(self: Any, *args: Any, **_others: Any) -> Message | None:
    """A returned message, for the program's `return_callbacks`: what they publish follows from it."""
    module = sys.modules.get("aio_pika.message")
    if not args or module is None or type(args[0]) is not module.IncomingMessage:
        return None
    returned = args[0]
    callback = next((each for each in self if type(each) is not type(self)), None)
    if callback is None:
        return None
    message: Message = {
        "channel": interning.text(returned.exchange),
        "channel_kind": "exchange",
        "routing_key": returned.routing_key,
        "handler": interning.handler(callback),
        "settings": {"returned": True},
    }
    carry(message, returned, returned.type)
    return message
