"""Which of our words is which of OpenTelemetry's: its messaging conventions (in development, read as of 1.44). Pure.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from __future__ import annotations

from typing import Final

SYSTEM: Final = "messaging.system"
DESTINATION: Final = "messaging.destination.name"
OPERATION_TYPE: Final = "messaging.operation.type"
OPERATION_NAME: Final = "messaging.operation.name"
OLD_OPERATION: Final = "messaging.operation"
"""Until 1.26; many instrumentations still write it."""
BATCH_COUNT: Final = "messaging.batch.message_count"
ROUTING_KEY: Final = "messaging.rabbitmq.destination.routing_key"
DELIVERY_TAG: Final = "messaging.rabbitmq.message.delivery_tag"

KINDS: Final = {
    "send": "send", "create": "send", "publish": "send", "receive": "receive", "process": "process",
    "deliver": "process", "settle": "settle",
}  # fmt: skip
"""Of `messaging.operation.type`, and of the values that it had: ours."""
TYPES: Final = {"send": "send", "receive": "receive", "process": "process", "settle": "settle"}
"""Of our kinds: `messaging.operation.type`."""
SETTLED: Final = {
    "ack": "ack", "acknowledge": "ack", "complete": "ack", "nack": "nack", "abandon": "requeue", "reject": "reject",
    "dead_letter": "reject", "commit": "commit",
}  # fmt: skip
"""Of `messaging.operation.name` of a settlement: our outcomes."""

TEXTS: Final = (
    ("message_id", "messaging.message.id"),
    ("correlation_id", "messaging.message.conversation_id"),
    ("consumer_group", "messaging.consumer.group.name"),
    ("message_key", "messaging.kafka.message.key"),
    ("routing_key", ROUTING_KEY),
)
"""Columns of ours, and the attributes that say the same."""
NUMBERS: Final = (
    ("body_size", "messaging.message.body.size"),
    ("log_offset", "messaging.kafka.offset"),
    ("delivery_tag", DELIVERY_TAG),
)
PARTITION: Final = "messaging.destination.partition.id"
OLDER: Final = {
    "messaging.kafka.message.offset": "messaging.kafka.offset",
    "messaging.kafka.destination.partition": PARTITION,
    "messaging.kafka.consumer.group": "messaging.consumer.group.name",
    "messaging.message_payload_size_bytes": "messaging.message.body.size",
    "messaging.message.payload_size_bytes": "messaging.message.body.size",
    "messaging.message_id": "messaging.message.id",
    "messaging.conversation_id": "messaging.message.conversation_id",
    "messaging.destination": DESTINATION,
    "messaging.destination_name": DESTINATION,
    "messaging.rabbitmq.routing_key": ROUTING_KEY,
    "net.peer.name": "server.address",
    "net.peer.port": "server.port",
}
"""Names of before, and those that took their place."""

CHANNEL_KINDS: Final = {
    ("kafka", "send"): "topic", ("kafka", ""): "topic", ("rabbitmq", "send"): "exchange", ("rabbitmq", ""): "queue",
    ("aws_sqs", ""): "queue", ("jms", ""): "queue", ("activemq", ""): "queue", ("servicebus", ""): "queue",
}  # fmt: skip
"""Of a system and a kind, or any other kind: what a destination is."""


def channel_kind(system: str, kind: str) -> str:
    """What a destination of a system is."""
    return CHANNEL_KINDS.get((system, kind)) or CHANNEL_KINDS.get((system, "")) or "topic"
