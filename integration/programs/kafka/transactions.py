"""Sends within transactions, one of which is aborted, and reads what was committed. Arguments: broker, topic, group."""

import sys
from typing import Any

from account import did, received, tell
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import OffsetAndMetadata, TopicPartition

broker, topic, group = sys.argv[1:]
producer = KafkaProducer(bootstrap_servers=broker, transactional_id=f"{topic}-writer", linger_ms=2)
producer.init_transactions()
did("call", action="init_transactions")


def write(values: list[bytes]) -> None:
    for value in values:
        told = producer.send(topic, value, partition=0).get(30)
        did("send", value=value, offset=told.offset)


producer.begin_transaction()
did("call", action="begin_transaction")
write([b"kept 1", b"kept 2"])
producer.send_offsets_to_transaction({TopicPartition(topic, 0): OffsetAndMetadata(2, "", -1)}, group)
did("settle", offset=2)
producer.commit_transaction()
did("call", action="commit_transaction")
producer.begin_transaction()
did("call", action="begin_transaction")
write([b"dropped 1", b"dropped 2"])
producer.abort_transaction()
did("call", action="abort_transaction")
producer.begin_transaction()
did("call", action="begin_transaction")
write([b"kept 3"])
producer.commit_transaction()
did("call", action="commit_transaction")
producer.close()

levels: Any = {"read_committed": 3, "read_uncommitted": 5}
for isolation_level, count in levels.items():
    consumer = KafkaConsumer(bootstrap_servers=broker, isolation_level=isolation_level, enable_auto_commit=False)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    taken = 0
    while taken < count:
        for records in consumer.poll(5_000).values():
            for record in records:
                received(record, record.key, record.value)
                taken += 1
    assert consumer.poll(300) == {}
    consumer.close()
tell()
