"""kafka: what a consumer receives.

Receives: `KafkaConsumer.poll` gives a batch, `__next__` one record of the batch that it polled itself (with
`update_offsets=False`, which is the iterator's own): a record is received once, by whichever the program called. A
`ConsumerRecord` holds deserialized values; the bytes are noted where `Fetcher.PartitionRecords` deserializes them,
which it does in the polling thread, inside `take`, and counts in `records_read`. Control records and aborted
transactions never get that far. A record whose deserializer fails is a receive that `raised`, with its bytes.
"""

from __future__ import annotations

import sys
import threading
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from msgtrace import interning
from msgtrace.hook import Fetch, Late, Observe, Point
from msgtrace.hooks.kafka_clients import in_group
from msgtrace.reading import COUNTED, PAIRS, Common, forget, reading

if TYPE_CHECKING:
    from msgtrace.records import Message


class _Unpacking(threading.local):
    """What the calling thread's poll has unpacked.

    Attributes:
        raw: index of a record in its partition's fetch -> the bytes that were handed to deserializers, key first.
        place: topic, partition and next offset of the fetch that is being unpacked.
        wire: (topic, partition, offset) -> the same bytes of a record that was unpacked.
        failed: identity of an error that a later poll will raise -> place and bytes of the record that it is about.
    """

    def __init__(self) -> None:
        self.raw: dict[int, list[Any]] = {}
        self.place: tuple[str, int, int] = ("", 0, 0)
        self.wire: dict[tuple[str, int, int], list[Any]] = {}
        self.failed: dict[int, tuple[tuple[str, int, int], list[Any]]] = {}


class _Polled:
    """What an iterator gives out of, record by record.

    Attributes:
        consumer: whose it is.
        process: the process in which what is known of `places` has its meaning.
        about: what its records have in common.
        places: topic -> partition -> what its records have in common.
        wire: see `_Unpacking`; of records that were not given out yet.
    """

    __slots__ = ("about", "consumer", "places", "process", "wire")

    def __init__(self, consumer: Any, wire: dict[tuple[str, int, int], list[Any]]) -> None:
        self.consumer = ref(consumer, partial(_forget, id(consumer)))
        self.process = interning.process()
        self.about = in_group(consumer._coordinator, consumer.config)  # noqa: SLF001 - no public way to it
        self.places: dict[tuple[str, int], Message] = {}
        self.wire = wire


def _forget(identity: int, dead: ref[Any]) -> None:
    known = _polled.get(identity)
    if known is not None and known.consumer is dead:
        del _polled[identity]


_unpacking = _Unpacking()
_polled: dict[int, _Polled] = {}
"""identity of a consumer -> what its iterator has polled last"""
_batches = count(1)
MAX_POSTPONED: Final = 100


# ---- receives -------------------------------------------------------------------------------------------------------


def deserializing(_: None, self: Any, deserializer: Any, topic: Any, *rest: Any) -> None:
    """A key or value about to be deserialized; kafka-python 3.0 passes the headers before it."""
    if deserializer is not None:
        unpacking = _unpacking
        unpacking.place = (*self.topic_partition, self.next_fetch_offset)
        unpacking.raw.setdefault(self.records_read, []).append(rest[-1])


def took(result: Any, self: Any, n: Any = None) -> None:
    """Records unpacked out of one partition's fetch: the last so many that it has read."""
    raw = _unpacking.raw
    if not raw:
        return
    wire = _unpacking.wire
    first = self.records_read - len(result)
    for index, record in enumerate(result, first):
        bytes_of = raw.pop(index, None)
        if bytes_of is not None:
            wire[record.topic, record.partition, record.offset] = bytes_of
    _postpone(self._next_inline_exception)


def polled(
    result: Any, self: Any, timeout_ms: Any = 0, max_records: Any = None, update_offsets: Any = True
) -> list[Message] | None:
    """A batch; nothing while an iterator polls, which gives the records out one by one."""
    unpacking = _unpacking
    if unpacking.raw:
        postponed = self._fetcher._next_in_line_exception_metadata  # noqa: SLF001 - which the next poll raises
        _postpone(None if postponed is None else postponed.exception)
    wire = unpacking.wire
    if wire:
        unpacking.wire = {}
    if not result:
        return None
    if not update_offsets:
        _polled[id(self)] = _Polled(self, wire)
        forget(iterated)
        return None
    about = in_group(self._coordinator, self.config)
    if sum(map(len, result.values())) > 1:
        about["batch_id"] = next(_batches)
    messages = []
    for place, records in result.items():
        here = _in_partition(about, place[0], place[1])
        messages += [received(record, self.config, here, wire) for record in records]
    return messages


def read_iterated(result: Any, self: Any) -> Message:
    """One record of what was polled."""
    known = _known(self)
    return received(result, self.config, _at(known, result), known.wire)


def _known(consumer: Any) -> _Polled:
    """What an iterator gives out of."""
    known = _polled.get(id(consumer))
    if known is None or known.consumer() is not consumer or known.process is not interning.process():
        wire = {} if known is None or known.consumer() is not consumer else known.wire
        known = _polled[id(consumer)] = _Polled(consumer, wire)
    return known


def _at(known: _Polled, record: Any) -> Message:
    """What is the same of all records of a partition."""
    place = record.topic, record.partition
    about = known.places.get(place)
    if about is None:
        about = known.places[place] = _in_partition(known.about, *place)
    return about


def _placed(result: Any, self: Any) -> Message:
    """The same of the record that an iterator gives out, until it polls again."""
    return _at(_known(self), result).copy()


iterated = reading(
    read_iterated,
    {
        "log_offset": "result.offset",
        "message_key": "result.key",
        "headers": ("result.headers", PAIRS),
        "producer_time_ms": ("result.timestamp", COUNTED),
        "settings.leader_epoch": ("result.leader_epoch", COUNTED),
        "body": "result.value",
    },
    common=Common(_placed, ("self", "result.topic", "result.partition")),
    only={
        "self.config[key_deserializer]": None,
        "self.config[value_deserializer]": None,
        "result.timestamp_type": 0,
    },
)
"""Where the bytes are the values; those that a deserializer was given are noted elsewhere."""


def _in_partition(about: Message, topic: str, partition: int) -> Message:
    return {**about, "channel": interning.text(topic), "channel_kind": "topic", "partition_id": partition}


def received(
    record: Any, config: dict[str, Any], about: Message, wire: dict[tuple[str, int, int], list[Any]]
) -> Message:
    """A record as it came over the wire.

    Args:
        record: a `ConsumerRecord`.
        config: the consumer's settings.
        about: what the records of its partition have in common.
        wire: the bytes of those that were deserialized; taken out.
    """
    message = about.copy()
    message["log_offset"] = record.offset
    bytes_of = wire.pop((record.topic, record.partition, record.offset), None) if wire else None
    if config["key_deserializer"] is None:
        message["message_key"] = record.key
    elif bytes_of is not None:
        message["message_key"] = bytes_of[0]
    if config["value_deserializer"] is None:
        message["body"] = record.value
    elif bytes_of is not None:
        message["body"] = bytes_of[-1]
    elif record.serialized_value_size >= 0:
        message["body_size"] = record.serialized_value_size  # polled before we were here
    if record.headers:
        message["headers"] = record.headers
    time = record.timestamp
    if time is not None and time >= 0:
        message["broker_time_ms" if record.timestamp_type == 1 else "producer_time_ms"] = time
    epoch = record.leader_epoch
    if epoch is not None and epoch >= 0:
        message["settings"] = {"leader_epoch": epoch}
    return message


def unreceived(result: Any, self: Any, *_: Any, **__: Any) -> Message | None:
    """A poll that raised because a record's deserializer did: now, or in an earlier poll that had others to give."""
    if result is not None:
        return None
    unpacking = _unpacking
    failed = unpacking.failed.pop(id(sys.exception()), None)
    if unpacking.raw:
        failed = unpacking.place, unpacking.raw[max(unpacking.raw)]
    unpacking.raw.clear()
    unpacking.wire.clear()
    if failed is None:
        return None
    (topic, partition, offset), bytes_of = failed
    message = in_group(self._coordinator, self.config)
    message["channel"] = interning.text(topic)
    message["channel_kind"] = "topic"
    message["partition_id"] = partition
    message["settings"] = {"offset_from": offset}  # what was compacted away before it is not known
    fields = [name for name in ("key", "value") if self.config[name + "_deserializer"] is not None]
    for name, value in zip(fields, bytes_of, strict=False):
        message["message_key" if name == "key" else "body"] = value
    return message


def _postpone(error: BaseException | None) -> None:
    """Keep what is known of a record that failed while others of the same poll are given out."""
    unpacking = _unpacking
    if error is not None and unpacking.raw:
        if len(unpacking.failed) >= MAX_POSTPONED:
            unpacking.failed.clear()
        unpacking.failed[id(error)] = unpacking.place, unpacking.raw[max(unpacking.raw)]
    unpacking.raw.clear()


_CONSUMER: Final = "kafka.consumer.group:KafkaConsumer."
_FETCH: Final = "kafka.consumer.fetcher:Fetcher.PartitionRecords."

POINTS: Final = (
    Point(_CONSUMER + "poll", Fetch(read=polled)),
    Point(_CONSUMER + "_poll_once", Observe(kind="receive", read=unreceived)),
    Point(_CONSUMER + "__next__", Fetch(read=iterated)),
    Point(_FETCH + "_deserialize", Late(kind="receive", read=deserializing, before=True)),
    Point(_FETCH + "take", Late(kind="receive", read=took)),
)
