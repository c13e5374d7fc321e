"""Receives records and sends on what follows from each: `after BODY`. Arguments: broker, topic, results topic, group, how.

`iterate`: a loop over the consumer, then `next`; `poll`: batches, then one by one.
"""

import sys
from typing import Any

from account import did, received, tell
from kafka import KafkaConsumer, KafkaProducer

broker, topic, results, group, how = sys.argv[1:]


class Upper:
    """Takes text apart from the bytes it came in: what it gives can't be turned back."""

    def deserialize(self, topic: str, *headers_and_data: Any) -> str | None:
        data = headers_and_data[-1]
        return None if data is None else data.decode().upper()

    def __call__(self, data: bytes | None) -> str | None:
        return self.deserialize("", data)


producer = KafkaProducer(bootstrap_servers=broker, linger_ms=2)
expected = [(f"k{number}".encode(), f"body {number}".encode()) for number in range(12)]
wire = {}
for key, value in expected:
    told = producer.send(topic, value, key, [("from", b"here")]).get(30)
    wire[told.partition, told.offset] = key, value
    did("send", topic=topic, value=value)

consumer = KafkaConsumer(
    topic,
    bootstrap_servers=broker,
    group_id=group,
    auto_offset_reset="earliest",
    enable_auto_commit=False,
    key_deserializer=Upper(),
    value_deserializer=Upper(),
    consumer_timeout_ms=10_000,
)


def work(record: Any) -> None:
    key, value = wire[record.partition, record.offset]
    assert record.value == value.decode().upper()
    received(record, key, value)


def send_on(value: bytes) -> None:
    producer.send(results, value)
    did("send", topic=results, value=value)


taken = 0
if how == "iterate":
    for record in consumer:
        work(record)
        send_on(f"after {record.value}".encode())
        taken += 1
        if taken == 9:
            break
    while taken < 12:
        record = next(consumer)
        work(record)
        send_on(f"after {record.value}".encode())
        taken += 1
else:
    while taken < 9:
        records = [each for some in consumer.poll(10_000, max_records=9 - taken).values() for each in some]
        for record in records:
            work(record)
        if len(records) > 1:
            send_on(f"after a batch {taken} {len(records)}".encode())
        taken += len(records)
    while taken < 12:
        for records in consumer.poll(10_000, max_records=1).values():
            work(records[0])
            send_on(f"after {records[0].value}".encode())
            taken += 1
    assert consumer.poll(0) == {}
    send_on(b"after nothing")
consumer.close()
producer.close()
tell()
