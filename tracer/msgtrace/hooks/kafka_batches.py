"""kafka: records as they are put into batches, and the end of a batch, which is that of its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.hook import Late, Made, Point, Together
from msgtrace.hooks.kafka_clients import connection
from msgtrace.reading import COUNTED, PAIRS, Common, Notes, noting, reading

if TYPE_CHECKING:
    from msgtrace.records import Facts, Message

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


BATCH: Final = "kafka.producer.producer_batch:ProducerBatch."

POINTS: Final = (
    Point(BATCH + "try_append", Made(read=appended, done=noted)),
    Point(BATCH + "_complete_future", Late(read=completed, before=True)),
    Point(
        "kafka.producer.record_accumulator:RecordAccumulator.split_and_reenqueue",
        Late(read=divided),
        versions=">=3",
    ),
)
