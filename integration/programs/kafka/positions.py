"""Moves about in partitions that it chose itself. Arguments: broker, topic of two partitions with five records in each."""

import sys

from account import did, received, tell
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

broker, topic = sys.argv[1:]
zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
consumer = KafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False)


def take(count: int) -> None:
    while count:
        for records in consumer.poll(5_000, max_records=count).values():
            for record in records:
                received(record, record.key, record.value)
                count -= 1


consumer.assign([zero, one])
did("assign", topic=topic, partitions=[0, 1])
consumer.seek(zero, 2)
did("seek", topic=topic, partition=0, offset=2)
consumer.pause(one)
did("pause", topic=topic, partition=1)
take(3)
consumer.resume(one)
did("resume", topic=topic, partition=1)
consumer.seek_to_beginning(one)
did("seek_to_beginning", topic=topic, partition=1)
consumer.pause(zero)
did("pause", topic=topic, partition=0)
take(5)
consumer.seek_to_end(zero)
did("seek_to_end", topic=topic, partition=0)
try:
    consumer.seek(TopicPartition(topic, 7), 0)
except (ValueError, AssertionError) as error:
    did("refused", topic=topic, partition=7, error=type(error).__name__)
consumer.unsubscribe()
did("unsubscribe")
consumer.close()
tell()
