"""Kafka: a topic of three partitions, a group of two and a group of one; one member goes back once and reads again."""

from __future__ import annotations

import sys

from bodies import Ledger, bodies, identity
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

role, bootstrap, topic, count_text, path = sys.argv[1:]
name, _, number_text = role.partition("/")
ledger = Ledger(path)
count = int(count_text)
bootstrap = bootstrap.removeprefix("kafka://")


def produce() -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=2)
    for body in bodies(int(number_text), count):
        producer.send(topic, body)
        ledger.sent.append(identity(body))
    producer.close()


def consume() -> None:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"{topic}.{name}",
        auto_offset_reset="earliest",
        consumer_timeout_ms=8_000,
        enable_auto_commit=True,
    )
    print("ready", flush=True)
    went_back = False
    for record in consumer:
        ledger.received.append(identity(record.value))
        if not went_back and name == "audit" and len(ledger.received) == 500:
            went_back = True
            partition = TopicPartition(record.topic, record.partition)
            consumer.seek(partition, max(0, record.offset - 50))
    consumer.close()


produce() if name == "producer" else consume()
ledger.write()
