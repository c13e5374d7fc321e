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
from msgtrace.hook import Deliver, Fetch, Hook, Late, Observe, Point, Process, Send
from msgtrace.hooks.aio_pika_deliveries import delivered, gave_back, got, iterated
from msgtrace.hooks.aio_pika_topology import POINTS
from msgtrace.hooks.aio_pika_values import carry, described

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace.records import Facts, Message, Outcome

MAX_UNCONFIRMED: Final = 1_000
_unconfirmed: dict[str, int] = {}
"""message id -> sequence of the latest mandatory sends that nobody confirms: they may still come back"""


# ---- sends ----------------------------------------------------------------------------------------------------------


def published(
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
        "settings": {"mandatory": mandatory, "confirms": self.publisher_confirms},
    }
    if properties is not None:
        carry(message, properties, properties.message_type)
    return message


def confirmed(
    sequence: int,
    result: Any,
    self: Any,
    body: bytes,
    *,
    properties: Any = None,
    mandatory: bool = False,
    **_others: Any,
) -> Facts:
    """What became of a publish, and the id that it went with."""
    facts = identified(properties)
    if result is None:
        message_id = facts.get("message_id")
        if mandatory and message_id and not self.publisher_confirms:
            if len(_unconfirmed) >= MAX_UNCONFIRMED:
                del _unconfirmed[next(iter(_unconfirmed))]
            _unconfirmed[message_id] = sequence
    elif hasattr(result, "delivery"):
        facts |= came_back(result.delivery, confirms=True)
    else:
        facts["outcome"] = "ack"
    return facts


def not_confirmed(error: Any, self: Any, body: bytes, *, properties: Any = None, **_others: Any) -> Facts:
    """The same for a publish that raised; the message may be on the wire for all that."""
    facts = identified(properties)
    kind = type(error).__name__
    if kind == "PublishError":
        facts |= came_back(error.frame, confirms=True)
    elif kind == "DeliveryError":
        facts["outcome"] = "nack"
    return facts


def identified(properties: Any) -> Facts:
    """The id that aiormq gave a message, in the program's own properties, where that had none."""
    return {"message_id": properties.message_id} if properties is not None and properties.message_id else {}


def came_back(frame: Any, *, confirms: bool) -> Facts:
    """What the broker said when it returned a message, which it does only with mandatory ones."""
    reply = {"reply_code": frame.reply_code, "reply_text": frame.reply_text}
    return {"outcome": "returned", "settings": {"mandatory": True, "confirms": confirms, **reply}}


def returned(
    result: Any, self: Any, frame: Any, header: Any
) -> list[tuple[int, str, BaseException | None, Facts | None]] | None:
    """A message returned on a channel without confirms, where aiormq tells nobody but its log."""
    if frame.name != "Basic.Return":
        return None
    sequence = _unconfirmed.pop(header.properties.message_id, None)
    return None if sequence is None else [(sequence, "returned", None, came_back(frame, confirms=False))]


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


def acked(result: Any, self: Any, delivery_tag: int, multiple: bool = False, wait: bool = True) -> Message:
    """basic.ack."""
    return settled(self, delivery_tag, "ack", multiple=multiple)


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
        Point("aiormq.channel:Channel.create_task", Deliver(read=delivered, spawns=True)),
        Point("aio_pika.queue:Queue.get", Fetch(read=got)),
        Point("aio_pika.queue:QueueIterator.__anext__", Fetch(read=iterated)),
        Point("aio_pika.robust_queue:RobustQueueIterator.__anext__", Fetch(read=iterated), versions=">=9.6"),
        Point("aio_pika.tools:CallbackCollection.__call__", Process(kind="trigger", read=gave_back)),
        Point("aiormq.channel:Channel.basic_ack", Observe(kind="settle", read=acked)),
        Point("aiormq.channel:Channel.basic_nack", Observe(kind="settle", read=nacked)),
        Point("aiormq.channel:Channel.basic_reject", Observe(kind="settle", read=rejected)),
        *POINTS,
    ),
)
