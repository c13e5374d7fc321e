"""Sends and consumes numbered records through the loss of its broker, with kafka-python.

    kafka_outage.py BOOTSTRAP TOPIC

Says `ok` or an error's name as it learns what became of each record; when standard input ends, all as JSON: the offset or
the error of each record sent, and offset and number of each received.
"""

import json
import sys
import threading
import time
from typing import Any

from kafka import KafkaConsumer, KafkaProducer

bootstrap, topic = sys.argv[1:]
stop = threading.Event()
futures: list[Any] = []
received: list[tuple[int, int]] = []


def consume() -> None:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id="outage",
        auto_offset_reset="earliest",
        consumer_timeout_ms=200,
        reconnect_backoff_max_ms=500,
    )
    while not stop.is_set():
        received.extend((record.offset, int(record.value)) for record in consumer)
    consumer.close()


def told(_result: Any) -> None:
    print("ok", file=sys.stderr, flush=True)


def failed(error: BaseException) -> None:
    print(type(error).__name__, file=sys.stderr, flush=True)


def outcome(future: Any) -> Any:
    return future.value.offset if future.succeeded() else type(future.exception).__name__


def await_the_end() -> None:
    sys.stdin.read()
    stop.set()


threading.Thread(target=await_the_end, daemon=True).start()
consuming = threading.Thread(target=consume)
consuming.start()
# What is sent at the outage's beginning is given up within it. Not idempotent: that producer waits for the sequence number
# that it gave up.
producer = KafkaProducer(
    bootstrap_servers=bootstrap,
    acks="all",
    enable_idempotence=False,
    request_timeout_ms=1_000,
    delivery_timeout_ms=2_000,
    reconnect_backoff_max_ms=500,
)
while not stop.is_set():
    futures.append(producer.send(topic, b"%d" % len(futures), partition=0))
    futures[-1].add_callback(told).add_errback(failed)
    time.sleep(0.005)
producer.close(timeout=10)
consuming.join()
print(json.dumps({"sent": [outcome(future) for future in futures], "received": received}))
