"""Two members of a group, the second of which comes late and goes early. Arguments: broker, topic of two partitions, group."""

import sys
import time
from collections.abc import Iterable

from account import did, tell
from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.structs import TopicPartition

broker, topic, group = sys.argv[1:]


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # of an untyped library
    """Puts what it hears on the account."""

    def __init__(self, name: str) -> None:
        self.name = name

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        did("revoked", member=self.name, partitions=sorted(each.partition for each in revoked))

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        did("assigned", member=self.name, partitions=sorted(each.partition for each in assigned))


def join(name: str) -> KafkaConsumer:
    consumer = KafkaConsumer(
        bootstrap_servers=broker, group_id=group, client_id=name, session_timeout_ms=10_000, heartbeat_interval_ms=100
    )
    consumer.subscribe([topic], listener=Listener(name))
    return consumer


def poll_until(wanted: dict[KafkaConsumer, int]) -> None:
    deadline = time.monotonic() + 30
    while any(len(each.assignment()) != count for each, count in wanted.items()) and time.monotonic() < deadline:
        for each in wanted:
            each.poll(100)


first = join("first")
poll_until({first: 2})
second = join("second")
poll_until({first: 1, second: 1})
second.close()
poll_until({first: 2})
first.close()
tell()
