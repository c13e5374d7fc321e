"""Sends records of every shape. Arguments: broker, topic of three partitions, settings of the producer as JSON."""

import json
import sys
from typing import Any

from account import did, tell
from kafka import KafkaProducer

broker, topic, settings = sys.argv[1:]
pending: list[tuple[dict[str, Any], Any]] = []


def send(producer: KafkaProducer, **given: Any) -> None:
    pending.append((given, producer.send(topic, **given)))


def settle() -> None:
    """Wait for what was sent, and say it as it was to be on the wire."""
    for given, future in pending:
        told = future.get(30)
        did(
            "send",
            topic=told.topic,
            partition=told.partition,
            offset=told.offset,
            timestamp=told.timestamp,
            key=given.get("wire_key", given.get("key")),
            value=given.get("wire_value", given.get("value")),
            headers=given.get("headers") or [],
        )
    pending.clear()


plain = KafkaProducer(bootstrap_servers=broker, **json.loads(settings))
send(plain, value=b"value")
send(plain, value=b"value", key=b"key")
send(plain, key=b"gone")
send(plain, value=b"", key=b"")
send(plain, value=bytes(range(256)), key=b"\xff\x00")
send(plain, value=b"headers", headers=[("a", b"1"), ("b", b"\xfe"), ("a", b"2"), ("", b"")])
send(plain, value=b"place", partition=2)
send(plain, value=b"time", timestamp_ms=1_234_567_890_123)
send(plain, value=bytearray(b"array"), key=memoryview(b"view"))
send(plain, value=b"x" * 70_000)
for number in range(300):
    send(plain, value=f"one of many {number}".encode(), key=f"{number % 7}".encode())
plain.flush()
settle()
plain.close()


class Json:
    """Turns objects into bytes; used for keys and values."""

    def serialize(self, topic: str, *headers_and_data: Any) -> bytes | None:
        data = headers_and_data[-1]
        return None if data is None else json.dumps(data).encode()

    def __call__(self, data: Any) -> bytes | None:
        return self.serialize("", data)


serializer: Any = Json()
objects = KafkaProducer(
    bootstrap_servers=broker, key_serializer=serializer, value_serializer=serializer, **json.loads(settings)
)
for key, value in [("k", {"a": [1, 2.5, None]}), (None, "text"), ({"id": 1}, None), (7, 0)]:
    future = objects.send(topic, value, key, [("h", b"v")])
    wire = {"wire_key": serializer(key), "wire_value": serializer(value), "headers": [("h", b"v")]}
    pending.append((wire, future))
settle()
objects.close()
tell()
