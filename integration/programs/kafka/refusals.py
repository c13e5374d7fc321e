"""Sends what is refused, by the producer or by the broker. Arguments: broker, topic, topic of small messages."""

import sys
from typing import Any

from account import did, tell
from kafka import KafkaProducer

broker, topic, small = sys.argv[1:]


class Picky:
    """Serializes text, and nothing else."""

    def serialize(self, topic: str, *headers_and_data: Any) -> bytes:
        try:
            return bytes(headers_and_data[-1], "utf-8")
        except TypeError as error:
            raise LookupError("only text") from error

    def __call__(self, data: Any) -> bytes:
        return self.serialize("", data)


def attempt(producer: KafkaProducer, where: str, value: Any, wire: bytes | None = None, **more: Any) -> None:
    """Send, wait, and say what came of it; of what never left, without its bytes."""
    try:
        future = producer.send(where, value, **more)
    except Exception as error:  # noqa: BLE001 - whatever the library does
        did("refused", topic=where, error=type(error).__name__)
        return
    try:
        told = future.get(30)
        did("sent", topic=where, value=wire, offset=told.offset)
    except Exception as error:  # noqa: BLE001 - as above
        did("failed", topic=where, value=wire, error=type(error).__name__)


producer = KafkaProducer(bootstrap_servers=broker, value_serializer=Picky(), max_request_size=5_000, max_block_ms=500)
attempt(producer, topic, "good", b"good")
attempt(producer, topic, 1)
attempt(producer, topic, "x" * 6_000)
attempt(producer, topic, "nowhere", partition=99)
attempt(producer, "no such topic!", "nowhere")
attempt(producer, topic, "headers", headers=[("name", "text, which headers are not")])
attempt(producer, small, "y" * 2_000, b"y" * 2_000)
attempt(producer, small, "still good", b"still good")
producer.close()
attempt(producer, topic, "too late")
plain = KafkaProducer(bootstrap_servers=broker)
attempt(plain, topic, "text, and no serializer")
attempt(plain, topic, None)
plain.close()
tell()
