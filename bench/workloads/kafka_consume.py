"""kafka-python: iterate over a topic's messages."""

import measuring
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient

options = measuring.options()


def prepare() -> None:
    producer = KafkaProducer(bootstrap_servers=options.url)
    for body in measuring.bodies(options.all):
        producer.send(options.channel, body)
    producer.flush()
    producer.close()


def clean() -> None:
    admin = KafkaAdminClient(bootstrap_servers=options.url)
    admin.delete_topics([options.channel])
    admin.close()


def main() -> None:
    consumer = KafkaConsumer(
        options.channel,
        bootstrap_servers=options.url,
        group_id=None,
        auto_offset_reset="earliest",
        consumer_timeout_ms=10_000,
    )
    for _ in range(options.warm_up):
        next(consumer)
    with measuring.measured(options):
        for _ in range(options.messages):
            next(consumer)
    consumer.close()


{"run": main, "prepare": prepare, "clean": clean}[options.step]()
