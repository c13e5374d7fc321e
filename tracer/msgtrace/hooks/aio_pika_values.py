"""aio_pika: how AMQP's values, a message's properties and a connection are put on record. Pure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from msgtrace.reading import GIVEN, NUMBER, PAIRS, TEXT

if TYPE_CHECKING:
    from msgtrace.records import Message

_PLAIN: Final = frozenset({str, bytes, bool, float, type(None)})


def plain(value: Any) -> Any:
    """A value of an AMQP table in built-in types, times and decimals as text."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        return value if -(2**63) <= value < 2**63 else str(value)
    if kind is dict:
        return {key: plain(each) for key, each in value.items()}
    if kind is list:
        return [plain(each) for each in value]
    if kind is bytearray:
        return bytes(value)
    if kind.__module__ in {"datetime", "decimal"}:
        return value.isoformat() if hasattr(kind, "isoformat") else str(value)
    return value  # pamqp knows no others, and refuses them


def carry(  # noqa: C901 - every message comes through here, and a loop costs three times as much
    message: Message, properties: Any, event_type: str | None
) -> None:
    """Put a message's AMQP properties on its record, those that it has.

    Args:
        message: the record.
        properties: pamqp's `Basic.Properties`, or aio_pika's `IncomingMessage`, which names them the same.
        event_type: the property `type`, which it doesn't.
    """
    if (message_id := properties.message_id) is not None:
        message["message_id"] = message_id
    if (correlation_id := properties.correlation_id) is not None:
        message["correlation_id"] = correlation_id
    if (reply_to := properties.reply_to) is not None:
        message["reply_to"] = reply_to
    if (content_type := properties.content_type) is not None:
        message["content_type"] = content_type
    if (encoding := properties.content_encoding) is not None:
        message["encoding"] = encoding
    if (delivery_mode := properties.delivery_mode) is not None:
        message["delivery_mode"] = delivery_mode if type(delivery_mode) is int else int(delivery_mode)
    if (priority := properties.priority) is not None:
        message["priority"] = priority
    if event_type is not None:
        message["event_type"] = event_type
    if (expiration := properties.expiration) is not None:
        message["expiration"] = _milliseconds(expiration)
    if (timestamp := properties.timestamp) is not None:
        message["producer_time_ms"] = _instant(timestamp)
    if headers := properties.headers:
        message["headers"] = [
            (name, value if type(value) in _PLAIN else plain(value)) for name, value in headers.items()
        ]
    if properties.app_id is not None or properties.user_id is not None:
        message["settings"] = {**message.get("settings", {}), **origin(properties)}


PROPERTIES: Final = {
    "message_id": ("properties?.message_id", TEXT),
    "correlation_id": ("properties?.correlation_id", TEXT),
    "reply_to": ("properties?.reply_to", TEXT),
    "content_type": ("properties?.content_type", TEXT),
    "encoding": ("properties?.content_encoding", TEXT),
    "delivery_mode": ("properties?.delivery_mode", NUMBER),
    "priority": ("properties?.priority", GIVEN),
    "event_type": ("properties?.message_type", TEXT),
    "expiration": ("properties?.expiration", TEXT),
    "headers": ("properties?.headers", PAIRS),
}
"""What `carry` reads of pamqp's properties, for `reading`."""
RARE_PROPERTIES: Final = {"properties?.timestamp": None, "properties?.app_id": None, "properties?.user_id": None}
"""Those that it leaves to `carry`."""


def origin(properties: Any) -> dict[str, Any]:
    """Who a message says that it is from."""
    said = {"app_id": properties.app_id, "user_id": properties.user_id}
    return {name: value for name, value in said.items() if value is not None}


def _milliseconds(expiration: Any) -> str:
    """An expiration as on the wire; aio_pika makes seconds of it when it reads one."""
    return str(round(expiration * 1000)) if isinstance(expiration, float) else expiration


def _instant(timestamp: dt.datetime) -> int:
    """A timestamp as on the wire, which knows whole seconds, as milliseconds; without a zone it is UTC for pamqp."""
    if timestamp.tzinfo is None:
        timestamp = timestamp.replace(tzinfo=dt.UTC)
    return int(timestamp.timestamp()) * 1000


def described(connection: Any) -> dict[str, Any]:
    """A connection's facts; of its url the host, port and user name only, for the rest may be secret.

    Args:
        connection: an `aiormq.connection.Connection`. What the broker says of itself is known once it is connected.
    """
    url = connection.url
    server = getattr(connection, "server_properties", None) or {}
    own = getattr(connection, "_Connection__client_properties", None) or {}
    facts = {
        "server_address": url.host,
        "server_port": url.port,
        "virtual_host": connection.vhost,
        "user": url.user or "guest",
        "tls": url.scheme == "amqps",
        "heartbeat": connection.heartbeat_timeout,
        "sasl_mechanism": url.query.get("auth", "plain").upper(),
        "connection_name": connection.connection_name or own.get("connection_name"),
        "broker": server.get("product"),
        "broker_version": server.get("version"),
        "broker_id": server.get("cluster_name"),
    }
    return {name: plain(value) for name, value in facts.items() if value is not None}
