"""Reads records of which some can't be deserialized, and goes on behind them. Arguments: broker, topic, `poll` or `iterate`."""

import json
import sys
from typing import Any

from account import did, received, tell
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

broker, topic, how = sys.argv[1:]
place = TopicPartition(topic, 0)
wire: dict[int, bytes] = {0: b"1", 1: b"{poison", 2: b"3", 3: b"4", 4: b"{again", 5: b"6"}


class Json:
    """Raises where there is no JSON."""

    def deserialize(self, topic: str, *headers_and_data: Any) -> Any:
        return json.loads(headers_and_data[-1])

    def __call__(self, data: bytes) -> Any:
        return self.deserialize("", data)


deserializer: Any = Json()
consumer = KafkaConsumer(
    bootstrap_servers=broker, value_deserializer=deserializer, enable_auto_commit=False, consumer_timeout_ms=5_000
)
consumer.assign([place])
consumer.seek(place, 0)
taken = 0
while taken < 6:
    try:
        some = [next(consumer)] if how == "iterate" else [e for each in consumer.poll(5_000).values() for e in each]
    except json.JSONDecodeError:
        did("poisoned", value=wire[taken])
        taken += 1
        consumer.seek(place, taken)
        continue
    for record in some:
        received(record, record.key, wire[record.offset])
        taken = record.offset + 1
consumer.close()
tell()
