"""Sends over a line that loses what is sent. Arguments: broker, topic, seconds after which the producer gives up."""

import sys

from account import did, tell
from kafka import KafkaProducer

broker, topic, patience = sys.argv[1:]
producer = KafkaProducer(
    bootstrap_servers=broker,
    acks="all",
    linger_ms=50,
    retry_backoff_ms=50,
    request_timeout_ms=500,
    delivery_timeout_ms=int(float(patience) * 1000),
)
values = [f"patience {number}".encode() for number in range(6)]
futures = [producer.send(topic, value, b"key", partition=0) for value in values]
for value, future in zip(values, futures, strict=True):
    try:
        told = future.get(30)
        did("sent", value=value, offset=told.offset)
    except Exception as error:  # noqa: BLE001 - whatever the library does
        did("failed", value=value, error=type(error).__name__)
producer.close()
tell()
