"""Reading the `orders` topic: the topic itself, a group's consumer, what a record says."""

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient
from kafka.errors import TopicAlreadyExistsError

from shop.runtime.settings import Settings

PARTITIONS = 2
POLL_MILLISECONDS = 200
JOIN_MILLISECONDS = 2_000
"""A poll that ends in the middle of joining leaves kafka-python 3.0.12 joined and without partitions for good."""
CATCH_UP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """A record of the topic, decoded."""

    kind: str
    """What happened: order.placed, order.confirmed, order.cancelled."""
    order_id: str
    event: dict[str, Any]


def topic(settings: Settings) -> str:
    """Return the name of the topic."""
    return settings.name("orders")


def ensure_topic(bootstrap: str, settings: Settings) -> None:
    """Create the topic unless it exists, and wait until it can be used."""
    # Any: pyright brings its own stubs, of a kafka-python older than wait_for_topics.
    client: Any = KafkaAdminClient(bootstrap_servers=bootstrap)
    with closing(client) as admin:
        with suppress(TopicAlreadyExistsError):
            admin.create_topics({topic(settings): {"num_partitions": PARTITIONS, "replication_factor": 1}})
        admin.wait_for_topics([topic(settings)])


def open_consumer(bootstrap: str, settings: Settings, group: str, *, auto_commit: bool) -> KafkaConsumer:
    """Open a consumer of the topic in consumer group `group`, from the first record that it has not seen."""
    ensure_topic(bootstrap, settings)
    return KafkaConsumer(
        topic(settings),
        bootstrap_servers=bootstrap,
        client_id=f"shop-{group}",
        group_id=settings.name(group),
        auto_offset_reset="earliest",
        enable_auto_commit=auto_commit,
        consumer_timeout_ms=POLL_MILLISECONDS,
    )


def decode(record: Any) -> OrderRecord:
    """Read a consumer record: the kind of event stands in the header `event-type`."""
    headers = dict(record.headers)
    return OrderRecord(headers["event-type"].decode(), record.key.decode(), json.loads(record.value))


def rounds(consumer: KafkaConsumer, stop: threading.Event) -> Iterator[int]:
    """Yield once per round of reading, until `stop` is set and everything is read (or cannot be, in time).

    Yields:
        How long to wait for records, in milliseconds; iterating over the consumer waits as long.
    """
    deadline = math.inf
    while not (stop.is_set() and (_caught_up(consumer) or time.monotonic() > deadline)):
        if stop.is_set() and deadline == math.inf:
            deadline = time.monotonic() + CATCH_UP_SECONDS
        wait = POLL_MILLISECONDS if consumer.assignment() else JOIN_MILLISECONDS
        consumer.config["consumer_timeout_ms"] = wait
        yield wait


def _caught_up(consumer: KafkaConsumer) -> bool:
    """Say whether the consumer has partitions and has read every record that is in them now."""
    partitions = consumer.assignment()
    if not partitions:
        return False
    ends = consumer.end_offsets(list(partitions))
    return all((consumer.position(partition) or 0) >= end for partition, end in ends.items())
