"""kafka (kafka-python): records sent and received, offsets committed, groups and topics.

Sends: `KafkaProducer.send` takes objects; what goes over the wire is known in `ProducerBatch.try_append`, with the key
and value as the serializers made them, the partition that was chosen and the timestamp. A send begins there, in the
program's thread and under the lock without which the sender's thread can't take the batch, so it is on record before
its bytes leave. Its end is told by `ProducerBatch._complete_future`, once for a batch, however often that was retried
or expired; of a batch that was too large `split_and_reenqueue` makes several. A send whose batch was never completed
stays `unknown`, as do those with `acks=0`, which no broker answers.

Batches are in `kafka_batches`, what is received in `kafka_consumer`, what is committed and assigned in `kafka_groups`,
topics in `kafka_admin`.

Not seen: a retry of a batch on its own (its number of them is in the end's `settings`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import interning
from msgtrace.context import CURRENT
from msgtrace.hook import Found, Hook, Late, Observe, Point, Submit
from msgtrace.hooks import kafka_admin, kafka_batches, kafka_consumer, kafka_groups, kafka_reconnects
from msgtrace.hooks.kafka_clients import connection
from msgtrace.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from msgtrace.records import Message

HEADERS_SINCE = (0, 11)
"""Version of the broker's protocol since which records have headers."""

# ---- sends ----------------------------------------------------------------------------------------------------------


def given(
    self: Any,
    topic: Any,
    value: Any = None,
    key: Any = None,
    headers: Any = None,
    partition: Any = None,
    timestamp_ms: Any = None,
) -> Message:
    """A send that ended before there was a record: what the program gave, of which nothing went anywhere."""
    message: Message = {"channel": interning.text(topic if type(topic) is str else ""), "channel_kind": "topic"}
    message["connection"] = connection(self._sender._client, self.config)  # noqa: SLF001 - no public way to it
    if type(value) is bytes and self.config["value_serializer"] is None:
        message["body"] = value
    else:
        limits = interning.settings
        message["data"] = snapshot((value,), {}, limits.snapshot_nodes, limits.body_limit)
    if type(key) is bytes and self.config["key_serializer"] is None:
        message["message_key"] = key
    if type(partition) is int:
        message["partition_id"] = partition
    if type(timestamp_ms) is int:
        message["producer_time_ms"] = timestamp_ms
    if type(headers) is list and headers:
        message["headers"] = [tuple(each) for each in headers if isinstance(each, tuple) and len(each) == 2]
    return message


def refusal(result: Any, *_: Any, **__: Any) -> BaseException | None:
    """The error of a send that returns it in a future without having appended anything: a topic that can't be had."""
    return result.exception  # type: ignore[no-any-return]  # of an untyped library


def detached(_: None, self: Any) -> None:
    """A thread of the library's own begins, in which callbacks run: it handles no message, whatever its starter did."""
    CURRENT.set(None)


def injected(
    fields: Mapping[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A send with more headers, on a copy of its own; unchanged where records have none, or it has them already."""
    version = args[0].config.get("api_version")
    if type(version) is not tuple or version < HEADERS_SINCE:
        return args, kwargs
    positional = len(args) > 4
    headers = args[4] if positional else kwargs.get("headers")
    if headers is None:
        headers = []
    if type(headers) is not list or any(type(each) is not tuple or not each for each in headers):
        return args, kwargs  # the library will refuse them
    if any(type(each[0]) is str and each[0].lower() == "traceparent" for each in headers):
        return args, kwargs
    more = [*headers, *((name, value.encode()) for name, value in fields.items())]
    if positional:
        return (*args[:4], more, *args[5:]), kwargs
    return args, {**kwargs, "headers": more}


# ---- what a producer does besides -----------------------------------------------------------------------------------


def done(action: str) -> Callable[..., Message]:
    """A reader of a producer's method that is about no message of its own."""

    def read(_: Any, self: Any, *args: Any, **kwargs: Any) -> Message:
        settings = {"action": action}
        if self.config["transactional_id"] is not None:
            settings["transactional_id"] = self.config["transactional_id"]
        return {"connection": connection(self._sender._client, self.config), "settings": settings}  # noqa: SLF001 - as above

    return read


def offsets_sent(
    _: Any, self: Any, offsets: Any, group_metadata: Any = None, consumer_group_id: Any = None
) -> list[Message]:
    """Offsets that are committed with a transaction: a settlement of each partition.

    The group is a name, up to kafka-python 2.3 under another parameter, or a consumer's `ConsumerGroupMetadata`.
    """
    group = consumer_group_id if group_metadata is None else group_metadata
    about: Message = {"connection": connection(self._sender._client, self.config)}  # noqa: SLF001 - as above
    if type(group) is str:
        about["consumer_group"] = group
    elif group is not None:
        about["consumer_group"] = group.group_id
        about["group_member"] = group.member_id
        about["group_generation"] = group.generation_id
    about["settings"] = {"transactional_id": self.config["transactional_id"]}
    return kafka_groups.settlements(about, offsets)


PRODUCER = "kafka.producer.kafka:KafkaProducer."

HOOK = Hook(
    library="kafka",
    system="kafka",
    distribution="kafka-python",
    versions=">=2.3,<4",
    points=(
        Point(PRODUCER + "send", Submit(read=given, refusal=refusal, inject=injected)),
        *kafka_batches.POINTS,
        Point("kafka.producer.sender:Sender.run", Late(read=detached, before=True)),
        Point("kafka.net.selector:NetworkSelector.run_forever", Late(read=detached, before=True), versions=">=3"),
        Point(PRODUCER + "flush", Observe(kind="call", read=done("flush"))),
        Point(PRODUCER + "init_transactions", Observe(kind="call", read=done("init_transactions"))),
        Point(PRODUCER + "begin_transaction", Observe(kind="call", read=done("begin_transaction"))),
        Point(PRODUCER + "commit_transaction", Observe(kind="call", read=done("commit_transaction"))),
        Point(PRODUCER + "abort_transaction", Observe(kind="call", read=done("abort_transaction"))),
        Point(PRODUCER + "send_offsets_to_transaction", Observe(kind="settle", read=offsets_sent)),
        *kafka_consumer.POINTS,
        *kafka_groups.POINTS,
        *kafka_admin.POINTS,
        *kafka_reconnects.POINTS,
    ),
    found=(Found("kafka.consumer.group:KafkaConsumer", "subscribe", kafka_groups.found),),
)
