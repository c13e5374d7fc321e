"""Speaks on both streams, warns, and ends with a code of its own. Arguments: broker, topic."""

import logging
import sys
import warnings
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

broker, topic = sys.argv[1:]
logging.basicConfig(level=logging.ERROR)
warnings.simplefilter("always")
encode: Any = str.encode
decode: Any = bytes.decode


def listening() -> KafkaConsumer:
    return KafkaConsumer(bootstrap_servers=broker, value_deserializer=decode, consumer_timeout_ms=2_000)


producer = KafkaProducer(bootstrap_servers=broker, value_serializer=encode)
future = producer.send(topic, "heard", partition=0)
print(future.get(30).topic == topic, type(future).__name__)
consumer = listening()
consumer.assign([TopicPartition(topic, 0)])
consumer.seek_to_beginning()
for record in consumer:
    print(record.value, record.key, type(record).__name__, len(record))
try:
    producer.send(topic)
except (ValueError, AssertionError) as error:
    print(error, file=sys.stderr)
try:
    next(consumer)
except StopIteration:
    print("nothing more", file=sys.stderr)
consumer.close()
producer.close()
sys.exit(3)
