"""Commits offsets in every way. Arguments: broker, topic of one partition with ten records, group, how."""

import sys
import time
from typing import Any

from account import did, tell
from kafka import KafkaConsumer
from kafka.structs import OffsetAndMetadata, TopicPartition

broker, topic, group, how = sys.argv[1:]
place = TopicPartition(topic, 0)
consumer: Any = KafkaConsumer(
    bootstrap_servers=broker,
    group_id=group,
    auto_offset_reset="earliest",
    enable_auto_commit=how == "auto",
    auto_commit_interval_ms=100,
    max_poll_records=2,
)
if how == "never joined":
    consumer.subscribe([topic])
    try:
        consumer.commit({place: OffsetAndMetadata(1, "", -1)})
    except Exception as error:  # noqa: BLE001 - whatever the library does
        did("commit failed", offset=1, error=type(error).__name__)
    consumer.close(autocommit=False)
    tell()
    sys.exit()

consumer.subscribe([topic])
taken = 0
while taken < 6:
    taken += sum(len(records) for records in consumer.poll(5_000).values())
if how == "explicit":
    consumer.commit()
    did("commit", offset=6, metadata="")
    consumer.commit({place: OffsetAndMetadata(3, "half", -1)})
    did("commit", offset=3, metadata="half")
    answers: list[object] = []
    consumer.commit_async(callback=lambda offsets, answer: answers.append(answer))
    did("commit", offset=6, metadata="")
    deadline = time.monotonic() + 10
    while not answers and time.monotonic() < deadline:
        consumer.poll(50, max_records=1)
    consumer.close(autocommit=False)
else:
    deadline = time.monotonic() + 10
    while consumer.committed(place) != 8 and time.monotonic() < deadline:
        if consumer.position(place) < 8:
            consumer.poll(50)
        else:
            consumer.pause(place)
            consumer.poll(50)
    did("committed", offset=consumer.committed(place))
    consumer.resume(place)
    while consumer.position(place) < 10:
        consumer.poll(50)
    consumer.close()
    did("commit", offset=10)
tell()
