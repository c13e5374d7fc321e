"""aio_pika: messages published to and delivered by an AMQP 0-9-1 broker, their settlement, and what else it is asked.

Wrapped is aiormq, which aio_pika speaks through, wherever it is the last place before the wire: `basic_publish` gives
a message its id, `basic_ack` and its like are what every way of settling ends in (`process()`, RPC, workers), and
`Channel.create_task` starts the task in which a consumer's callback runs. Of aio_pika itself only `Queue.get` and the
iterators' `__anext__` are wrapped, because only they run in the context of the program that asked, and the callbacks
of returned messages.

A message is received when the program gets it: at delivery by a callback, when it is handed out by an iterator. What
an iterator has prefetched and never handed out is no receive; that the iterator requeues it in the end is recorded as
the settlement that it is.

Not seen: docs/hooks/aio_pika.md.
"""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.hook import Deliver, Fetch, Found, Hook, Late, Observe, Point, Process, Send, Spawned
from msgtrace.hooks import aio_pika_reconnects
from msgtrace.hooks.aio_pika_deliveries import delivered, gave_back, got, iterated, iterates, task_of
from msgtrace.hooks.aio_pika_topology import POINTS, consuming
from msgtrace.hooks.aio_pika_values import PROPERTIES, RARE_PROPERTIES, carry, described, origin
from msgtrace.reading import ABSENT, TRUTHY, Common, reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace.records import Facts, Message, Outcome

MAX_UNCONFIRMED: Final = 1_000
_unconfirmed: dict[str, int] = {}
"""message id -> sequence of the latest mandatory sends that nobody confirms: they may still come back"""


# ---- sends ----------------------------------------------------------------------------------------------------------


def read_published(
    self: Any,
    body: bytes,
    *,
    exchange: str = "",
    routing_key: str = "",
    properties: Any = None,
    mandatory: bool = False,
    immediate: bool = False,
    timeout: Any = None,
    wait: bool = True,
) -> Message:
    """A publish that is about to be made. An id that the program leaves to aiormq is known afterwards."""
    message: Message = {
        "channel": interning.text(exchange),
        "channel_kind": "exchange",
        "routing_key": routing_key,
        "connection": interning.connection(self.connection, described),
        "delivery_channel": self.number,
        "body": body,
    }
    if not mandatory or not self.publisher_confirms:
        message["settings"] = _unlike_the_default(mandatory=mandatory, confirms=self.publisher_confirms)
    if properties is not None:
        carry(message, properties, properties.message_type)
    return message


def _unlike_the_default(*, mandatory: bool, confirms: bool) -> dict[str, Any]:
    """How a publish differs from those of aio_pika's own defaults: most don't, and say nothing of it."""
    return {name: False for name, value in (("mandatory", mandatory), ("confirms", confirms)) if not value}


def _exchange(self: Any, body: bytes, *, exchange: str = "", **_others: Any) -> Message:
    """What is the same of all that is published on a channel to an exchange."""
    return {
        "channel": interning.text(exchange),
        "channel_kind": "exchange",
        "connection": interning.connection(self.connection, described),
        "delivery_channel": self.number,
    }


published = reading(
    read_published,
    {"routing_key": "routing_key", **PROPERTIES, "body": "body"},
    common=Common(_exchange, ("self", "exchange")),
    only={"mandatory": True, "self.publisher_confirms": True, **RARE_PROPERTIES},
)


def read_confirmed(
    sequence: int,
    result: Any,
    self: Any,
    body: bytes,
    *,
    exchange: str = "",
    routing_key: str = "",
    properties: Any = None,
    mandatory: bool = False,
    immediate: bool = False,
    timeout: Any = None,
    wait: bool = True,
) -> Facts:
    """What became of a publish, and the id that it went with."""
    message_id = None if properties is None else properties.message_id
    if result is None:
        if not message_id:
            return {}
        if mandatory and not self.publisher_confirms:
            if len(_unconfirmed) >= MAX_UNCONFIRMED:
                _unconfirmed.pop(next(iter(_unconfirmed)), None)
            _unconfirmed[message_id] = sequence
        return {"message_id": message_id}
    facts: Facts = came_back(result.delivery, properties) if hasattr(result, "delivery") else {"outcome": "ack"}
    if message_id:
        facts["message_id"] = message_id
    return facts


confirmed = reading(
    read_confirmed,
    {"message_id": ("properties?.message_id", TRUTHY)},
    only={"result.name": "Basic.Ack", "result.delivery": ABSENT},
    outcome="ack",
)


def not_confirmed(error: Any, self: Any, body: bytes, *, properties: Any = None, **_others: Any) -> Facts:
    """The same for a publish that raised; the message may be on the wire for all that."""
    kind = type(error).__name__
    facts: Facts = {}
    if kind == "PublishError":
        facts = came_back(error.frame, properties)
    elif kind == "DeliveryError":
        facts = {"outcome": "nack"}
    if properties is not None and properties.message_id:
        facts["message_id"] = properties.message_id
    return facts


def came_back(frame: Any, properties: Any, *, confirms: bool = True) -> Facts:
    """What the broker said when it returned a message; these settings take the place of those that the send had."""
    settings = _unlike_the_default(mandatory=True, confirms=confirms)
    if properties is not None:
        settings |= origin(properties)
    return {
        "outcome": "returned",
        "settings": {**settings, "reply_code": frame.reply_code, "reply_text": frame.reply_text},
    }


def returned(
    result: Any, self: Any, frame: Any, header: Any
) -> list[tuple[int, str, BaseException | None, Facts | None]] | None:
    """A message returned on a channel without confirms, where aiormq tells nobody but its log."""
    if frame.name != "Basic.Return":
        return None
    sequence = _unconfirmed.pop(header.properties.message_id, None)
    return (
        None
        if sequence is None
        else [(sequence, "returned", None, came_back(frame, header.properties, confirms=False))]
    )


def injected(
    fields: Mapping[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The same publish with `fields` among its headers, unless it carries a `traceparent` already."""
    given = kwargs.get("properties")
    headers = (given.headers if given is not None else None) or {}
    if "traceparent" in headers:
        return args, kwargs
    # Without any aiormq would make these.
    properties = sys.modules["pamqp.commands"].Basic.Properties(delivery_mode=1) if given is None else copy.copy(given)
    properties.headers = {**headers, **fields}
    return args, {**kwargs, "properties": properties}


# ---- settlements ----------------------------------------------------------------------------------------------------


def settled(channel: Any, delivery_tag: int, outcome: Outcome, *, multiple: bool = False) -> Message:
    """A delivery that was settled: channel and tag say which."""
    message: Message = {
        "connection": interning.connection(channel.connection, described),
        "delivery_channel": channel.number,
        "delivery_tag": delivery_tag,
        "outcome": outcome,
    }
    if multiple:
        message["multiple"] = True
    return message


def read_acked(result: Any, self: Any, delivery_tag: int, multiple: bool = False, wait: bool = True) -> Message:
    """basic.ack; most messages are, and a call less is a twentieth of it."""
    message: Message = {
        "connection": interning.connection(self.connection, described),
        "delivery_channel": self.number,
        "delivery_tag": delivery_tag,
        "outcome": "ack",
    }
    if multiple:
        message["multiple"] = True
    return message


def _settling(result: Any, self: Any, delivery_tag: int, multiple: bool = False, wait: bool = True) -> Message:
    """What is the same of all settlements on a channel."""
    return {"connection": interning.connection(self.connection, described), "delivery_channel": self.number}


acked = reading(
    read_acked,
    {"delivery_tag": "delivery_tag"},
    common=Common(_settling, ("self",)),
    only={"multiple": False},
    outcome="ack",
)


def nacked(
    result: Any, self: Any, delivery_tag: int, multiple: bool = False, requeue: bool = True, *_wait: Any, **_others: Any
) -> Message:
    """basic.nack."""
    return settled(self, delivery_tag, "requeue" if requeue else "nack", multiple=multiple)


def rejected(result: Any, self: Any, delivery_tag: int, *, requeue: bool = True, wait: bool = True) -> Message:
    """basic.reject."""
    return settled(self, delivery_tag, "requeue" if requeue else "reject")


HOOK = Hook(
    library="aio_pika",
    system="rabbitmq",
    distribution="aio-pika",
    versions=">=9,<11",
    points=(
        Point(
            "aiormq.channel:Channel.basic_publish",
            Send(read=published, done=confirmed, failed=not_confirmed, inject=injected),
        ),
        Point("aiormq.channel:Channel._read_content", Late(read=returned, before=True)),
        Point("aiormq.channel:Channel.create_task", Deliver(read=delivered, spawns=True, task=task_of)),
        Point("aio_pika.queue:create_task", Spawned(further=True)),
        Point("aio_pika.queue:Queue.get", Fetch(read=got)),
        Point("aio_pika.queue:QueueIterator.__anext__", Fetch(read=iterated)),
        Point("aio_pika.robust_queue:RobustQueueIterator.__anext__", Fetch(read=iterated), versions=">=9.6"),
        Point("aio_pika.tools:CallbackCollection.__call__", Process(kind="trigger", read=gave_back)),
        Point("aiormq.channel:Channel.basic_ack", Observe(kind="settle", read=acked)),
        Point("aiormq.channel:Channel.basic_nack", Observe(kind="settle", read=nacked)),
        Point("aiormq.channel:Channel.basic_reject", Observe(kind="settle", read=rejected)),
        *POINTS,
        *aio_pika_reconnects.POINTS,
    ),
    found=(
        Found("aio_pika.queue:QueueIterator", "subscribe", iterates),
        Found("aiormq.channel:Channel", "subscribe", consuming, rank=1),
    ),
)
