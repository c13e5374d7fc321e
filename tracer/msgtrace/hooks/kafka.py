"""kafka (kafka-python): records sent and received, offsets committed, groups and topics.

Sends: `KafkaProducer.send` takes objects; what goes over the wire is known in `ProducerBatch.try_append`, with the key
and value as the serializers made them, the partition that was chosen and the timestamp. A send begins there, in the
program's thread and under the lock without which the sender's thread can't take the batch, so it is on record before
its bytes leave. Its end is told by `ProducerBatch._complete_future`, once for a batch, however often that was retried
or expired; of a batch that was too large `split_and_reenqueue` makes several. A send whose batch was never completed
stays `unknown`, as do those with `acks=0`, which no broker answers.

What is received is in `kafka_consumer`, what is committed and assigned in `kafka_groups`, topics in `kafka_admin`.

Not seen: a retry of a batch on its own (its number of them is in the end's `settings`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.context import CURRENT
from msgtrace.hook import Found, Hook, Late, Made, Observe, Point, Submit, Together
from msgtrace.hooks import kafka_admin, kafka_consumer, kafka_groups, kafka_reconnects
from msgtrace.hooks.kafka_clients import connection
from msgtrace.reading import COUNTED, PAIRS, Common, Notes, noting, reading
from msgtrace.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from msgtrace.records import Facts, Message

HEADERS_SINCE = (0, 11)
"""Version of the broker's protocol since which records have headers."""

_NOTES: Final = "_msgtrace"
"""Name under which a batch carries our notes in its own namespace: they live as long as it does, and are found at once."""


class _Notes(Notes):
    """What is noted of a batch.

    Attributes:
        process: the process in which `about` has its meaning.
        about: what its records have in common.
        answered: a broker will answer.
        runs: operations of records that follow each other in the batch, by the index of their first: all of them in one
            list, unless the batch was begun before we were here.
        latest: the last of those.
        next: the index of the record that would follow it.
    """

    __slots__ = ("about", "answered", "process", "runs")

    def __init__(self, about: Message, *, answered: bool) -> None:
        self.process = interning.process()
        self.about = about
        self.answered = answered
        self.runs: dict[int, list[int]] = {}
        self.latest: list[int] = []
        self.next = -1

    def add(self, index: int, sequence: int) -> None:
        """Note the operation of one more record."""
        if index != self.next:
            self.latest = self.runs[index] = []
        self.latest.append(sequence)
        self.next = index + 1

    def entries(self) -> list[tuple[int, int]]:
        """Index in the batch, and operation, of each record."""
        return [entry for first, sequences in self.runs.items() for entry in enumerate(sequences, first)]


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


def read_appended(
    result: Any, owner: Any, self: Any, timestamp_ms: Any, key: Any, value: Any, headers: Any, now: Any = None
) -> Message | None:
    """A record that found room in a batch; the producer tries the next one when it didn't."""
    if result is None:
        return None
    notes: _Notes | None = self.__dict__.get(_NOTES)
    if notes is None or notes.process is not interning.process():
        notes = self.__dict__[_NOTES] = _first(self.topic_partition, owner)
    message = notes.about.copy()
    message["message_key"] = key
    message["body"] = value
    # The record's own time; -1 or None in formats that have none. kafka/producer/future.py: FutureRecordMetadata.args
    time = result.args[1]
    if time is not None and time >= 0:
        message["producer_time_ms"] = time
    if headers:
        message["headers"] = headers
    return message


def _in_batch(
    result: Any, owner: Any, self: Any, timestamp_ms: Any, key: Any, value: Any, headers: Any, now: Any = None
) -> Message:
    """What is the same of all records in a batch."""
    notes: _Notes | None = self.__dict__.get(_NOTES)
    if notes is None or notes.process is not interning.process():
        notes = self.__dict__[_NOTES] = _first(self.topic_partition, owner)
    return notes.about.copy()


appended = reading(
    read_appended,
    {
        "message_key": "key",
        "producer_time_ms": ("result.args[1]", COUNTED),
        "headers": ("headers", PAIRS),
        "body": "value",
    },
    common=Common(_in_batch, ("self",)),
)


def _first(place: Any, owner: Any) -> _Notes:
    """Notes for a batch, all of whose records are one producer's."""
    about: Message = {"channel": interning.text(place[0]), "channel_kind": "topic", "partition_id": place[1]}
    if owner is None:
        return _Notes(about, answered=True)
    about["connection"] = connection(owner._sender._client, owner.config)  # noqa: SLF001 - no public way to it
    transactional_id = owner.config["transactional_id"]
    if transactional_id is not None:
        about["settings"] = {"transactional_id": transactional_id}
    return _Notes(about, answered=owner.config["acks"] != 0)


def note_down(
    sequence: int,
    result: Any,
    owner: Any,
    self: Any,
    timestamp_ms: Any,
    key: Any,
    value: Any,
    headers: Any,
    now: Any = None,
) -> None:
    """Remember which operations a batch's records are."""
    self.__dict__[_NOTES].add(result.args[0], sequence)


noted = noting(note_down, f"self.__dict__[{_NOTES}]", "result.args[0]")


def completed(
    _: None, self: Any, base_offset: Any, timestamp_ms: Any, record_exceptions_fn: Any
) -> list[tuple[int, str, BaseException | None, Facts | None] | Together] | None:
    """The end of a batch: the offset of its first record, or an error for each. Read before the program's callbacks.

    Without an answer (`acks=0`) there is nothing to tell but an error; kafka-python 3.0 then has the batch begin at 0.
    """
    if self.produce_future.is_done:
        return None
    notes: _Notes | None = self.__dict__.pop(_NOTES, None)
    if notes is None:
        return None
    common: Facts = {}
    if self.attempts:
        common["settings"] = {**notes.about.get("settings", {}), "retries": self.attempts}
    if record_exceptions_fn is not None:
        return [(sequence, "raised", record_exceptions_fn(index), common) for index, sequence in notes.entries()]
    if not notes.answered:
        return None
    if timestamp_ms is not None and timestamp_ms >= 0:
        common["broker_time_ms"] = timestamp_ms
    if base_offset is None or base_offset < 0:
        return [Together(sequences, common) for sequences in notes.runs.values()]
    return [
        Together(sequences, {**common, "log_offset": base_offset + first}) for first, sequences in notes.runs.items()
    ]


def divided(_: Any, self: Any, batch: Any, now: Any = None) -> None:
    """A batch that was too large, whose records the accumulator has put into new batches."""
    notes: _Notes | None = batch.__dict__.pop(_NOTES, None)
    if notes is None:
        return
    # A list first, in one C call: the program's threads append to the deque.
    queued = list(self._batches[batch.topic_partition])
    batches = {id(each.produce_future): each for each in queued}
    for index, sequence in notes.entries():
        future = batch._record_futures[index]  # noqa: SLF001 - what kafka-python itself rebinds
        successor = batches.get(id(future._produce_future))  # noqa: SLF001 - as above
        if successor is not None:
            more = successor.__dict__.setdefault(_NOTES, _Notes(notes.about, answered=notes.answered))
            more.add(future.args[0], sequence)


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
BATCH = "kafka.producer.producer_batch:ProducerBatch."

HOOK = Hook(
    library="kafka",
    system="kafka",
    distribution="kafka-python",
    versions=">=2.3,<4",
    points=(
        Point(PRODUCER + "send", Submit(read=given, refusal=refusal, inject=injected)),
        Point(BATCH + "try_append", Made(read=appended, done=noted)),
        Point(BATCH + "_complete_future", Late(read=completed, before=True)),
        Point(
            "kafka.producer.record_accumulator:RecordAccumulator.split_and_reenqueue",
            Late(read=divided),
            versions=">=3",
        ),
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
