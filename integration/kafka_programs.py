"""Runs the programs in programs/kafka under the recorder, and brings account and record to the same form."""

import base64
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from integration.brokers import Kafka
from integration.recorded import Operation, Recording, record
from msgtrace.settings import Settings

PROGRAMS: Final = Path(__file__).parent / "programs" / "kafka"
BODY_LIMIT: Final = Settings().body_limit
OLDER: Final = os.environ.get("MSGTRACE_TEST_PYTHON_KAFKA2", "")
_NO_OLDER = pytest.mark.skipif(
    not OLDER, reason="MSGTRACE_TEST_PYTHON_KAFKA2 names no interpreter with kafka-python 2.3"
)

INTERPRETERS: Final = [
    pytest.param(sys.executable, id="installed"),
    pytest.param(OLDER, id="2.3", marks=_NO_OLDER),
]
"""The installed kafka-python, and the one of the interpreter that MSGTRACE_TEST_PYTHON_KAFKA2 names, if it does."""


class Programs:
    """Runs programs that use kafka-python, with topics of their own.

    Args:
        python: the interpreter.
        kafka: the broker.
        unique: makes names that nobody else uses.
    """

    def __init__(self, python: str, kafka: Kafka, unique: Callable[[str], str]) -> None:
        self.python = python
        self.kafka = kafka
        self.unique = unique
        self._admin: Any = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admin.close()

    def topic(self, partitions: int = 1, **configs: str) -> str:
        """A topic that nobody else uses."""
        name = self.unique("topic")
        named = {each.replace("_", "."): value for each, value in configs.items()}
        self._admin.create_topics(
            {name: {"num_partitions": partitions, "replication_factor": 1, "configs": named}}, wait_for_metadata=True
        )
        return name

    def filled(self, topic: str, *values: bytes, partition: int = 0) -> None:
        """Fill a partition from outside of what is tested, each record in a batch of its own."""
        producer = KafkaProducer(bootstrap_servers=self.kafka.bootstrap)
        for value in values:
            producer.send(topic, value, b"key", [("n", value)], partition=partition).get(30)
        producer.close()

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """What the broker says that a group has committed, by topic and partition."""
        offsets = self._admin.list_group_offsets({group: None})[group]
        return {(place.topic, place.partition): committed.offset for place, committed in offsets.items()}

    def run(
        self,
        program: str,
        *arguments: str,
        kafka: Kafka | None = None,
        exit_code: int = 0,
        traced: bool = True,
        **settings: Any,
    ) -> Recording:
        """Run a program, and check that nothing was lost."""
        command = [str(PROGRAMS / f"{program}.py"), (kafka or self.kafka).bootstrap, *arguments]
        ended = record(command, python=self.python, traced=traced, settings=Settings(**settings), timeout=120)
        assert ended.exit_code == exit_code, ended.stderr
        assert ended.losses == []
        return ended


def encoded(value: Any) -> Any:
    """A recorded value as the programs' accounts have it."""
    if isinstance(value, bytes):
        return "base64:" + base64.b64encode(value).decode()
    if isinstance(value, list):
        return [encoded(each) for each in value]
    return value


def said(recording: Recording, *what: str) -> list[dict[str, Any]]:
    """Entries of the program's account, without their first word if only one was asked for."""
    found = [each for each in recording.said if each["did"] in what]
    return (
        [{name: value for name, value in each.items() if name != "did"} for each in found] if len(what) == 1 else found
    )


def record_of(operation: Operation) -> dict[str, Any]:
    """A sent or received record as the accounts have it."""
    broker_time = operation["broker_time_ms"]
    return {
        "topic": operation["channel"],
        "partition": operation["partition_id"],
        "offset": operation["log_offset"],
        "timestamp": operation["producer_time_ms"] if broker_time is None else broker_time,
        "key": encoded(operation["message_key"]),
        "value": encoded(operation["body"]),
        "headers": encoded(operation["headers"] or []),
    }


def cut(entry: dict[str, Any]) -> dict[str, Any]:
    """An account's record with as much of its value as is kept."""
    if entry["value"] is None:
        return entry
    return {**entry, "value": encoded(base64.b64decode(entry["value"].removeprefix("base64:"))[:BODY_LIMIT])}


def receives(recording: Recording) -> list[dict[str, Any]]:
    """What was recorded as received, as the accounts have it."""
    return [record_of(each) for each in recording.of("receive")]


def accounted(recording: Recording) -> list[dict[str, Any]]:
    """What the program says that it received."""
    return [{k: v for k, v in each.items() if k != "timestamp_type"} for each in said(recording, "receive")]
