"""Makes its producer in a loop over three records, and sends from callbacks. Arguments: broker, topic, results topic."""

import sys
from typing import Any

from account import did, tell
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

broker, topic, results = sys.argv[1:]
consumer = KafkaConsumer(bootstrap_servers=broker, consumer_timeout_ms=10_000)
consumer.assign([TopicPartition(topic, 0)])
consumer.seek_to_beginning()
producer: Any = None
futures: list[Any] = []


def heard(told: Any) -> None:
    futures.append(producer.send(results, b"heard of %d" % told.offset))


for record in consumer:
    if producer is None:
        producer = KafkaProducer(bootstrap_servers=broker)
    producer.send(results, b"after " + record.value).add_callback(heard).get(30)
    did("send", value=b"after " + record.value)
    if record.offset == 2:
        break
producer.flush()  # of what was acknowledged, its callbacks have run
for future in futures:
    did("heard", offset=future.get(30).offset)
producer.close()
consumer.close()
tell()
