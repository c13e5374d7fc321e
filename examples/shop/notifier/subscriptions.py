"""Who wants to hear about what, and the handlers that keep and use that list."""

import json
from collections import Counter, defaultdict
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast

from shop.notifier.signals import delivery_confirmed, status_received, subscriber_joined, subscriber_left
from shop.runtime import ledger

EVERYTHING = "*"
_by_topic: defaultdict[str, set[ServerConnection]] = defaultdict(set)
statistics: Counter[str] = Counter()


@subscriber_joined.connect
def add_subscriber(connection: ServerConnection, *, topic: str) -> None:
    """Have a client told about a topic from now on."""
    ledger.received("blinker", "subscriber-joined")
    _by_topic[topic].add(connection)


@subscriber_left.connect
def drop_subscriber(connection: ServerConnection, *, topic: str) -> None:
    """Have a client not told about a topic any more."""
    ledger.received("blinker", "subscriber-left")
    _by_topic[topic].discard(connection)


@status_received.connect
def broadcast_status(_source: str, *, status: dict[str, Any]) -> None:
    """Pass a status on to its customer's clients and to those that want every status."""
    ledger.received("blinker", "status-received")
    listeners = _by_topic[f"user:{status['user_id']}"] | _by_topic[EVERYTHING]
    message = {name: value for name, value in status.items() if name != "seq"}
    ledger.sent("websocket", "/feed", "order.status", len(listeners))
    broadcast(listeners, json.dumps(message))


@status_received.connect
def count_status(_source: str, *, status: dict[str, Any]) -> None:
    """Count statuses by kind."""
    ledger.received("blinker", "status-received")
    statistics[status["status"]] += 1


@delivery_confirmed.connect
def count_delivery(_connection: ServerConnection, *, order_id: str) -> None:
    """Count statuses that a client says it has."""
    ledger.received("blinker", "delivery-confirmed")
    statistics["delivered"] += 1
