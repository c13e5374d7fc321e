"""A kafka-python producer and consumer: sends a numbered record every few milliseconds and reads them, until told to stop.

    kafka_restart.py URL TOPIC

Says on standard error how each record ended, as soon as it has; when its standard input ends, sends until one is
acknowledged, reads up to that, and prints as JSON how all ended (an offset, or the error's name) and what came.
"""

import json
import sys
import threading
import time
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

url, topic = sys.argv[1:]
bootstrap = url.removeprefix("kafka://")
outcomes: list[Any] = []
received: list[tuple[int, int]] = []
stop = threading.Event()


def await_the_end() -> None:
    sys.stdin.read()
    stop.set()


def acknowledged(number: int, offset: int) -> None:
    outcomes[number] = offset
    print("ok", file=sys.stderr, flush=True)


def failed(number: int, error: BaseException) -> None:
    outcomes[number] = type(error).__name__
    print(outcomes[number], file=sys.stderr, flush=True)


def send(producer: Any) -> Any:
    number = len(outcomes)
    outcomes.append(None)
    try:
        future = producer.send(topic, b"%d" % number, partition=0)
    except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to know it
        failed(number, error)
        return None
    future.add_callback(lambda told: acknowledged(number, told.offset))
    future.add_errback(lambda error: failed(number, error))
    return future


def produce() -> None:
    # Everything that the broker has not acknowledged is tried again, for two minutes.
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        linger_ms=5,
        request_timeout_ms=2_000,
        reconnect_backoff_max_ms=500,
    )
    while not stop.is_set():
        send(producer)
        time.sleep(0.01)
    while not isinstance(outcomes[-1], int):
        send(producer)
        producer.flush(30)
    producer.close()


threading.Thread(target=await_the_end, daemon=True).start()
producing = threading.Thread(target=produce)
producing.start()
consumer = KafkaConsumer(
    bootstrap_servers=bootstrap,
    group_id=None,
    auto_offset_reset="earliest",
    reconnect_backoff_max_ms=500,
    consumer_timeout_ms=500,
)
consumer.assign([TopicPartition(topic, 0)])
while producing.is_alive() or not received or received[-1][1] < outcomes[-1]:
    received.extend((int(record.value), record.offset) for record in consumer)
consumer.close()
print(json.dumps({"outcomes": outcomes, "received": received}))
