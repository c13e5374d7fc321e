"""The ledger that examples/shop writes: how to read it, and what its scenario makes it say."""

import json
from dataclasses import dataclass
from pathlib import Path

USERS = 10
ORDERS = 30
UNAVAILABLE = 3
"""Orders with an article that is sold out."""
DECLINED = 3
SLOW = 3
"""Orders whose payment found no answer in its first attempt, and was charged in the second."""
FAILED = 2
"""Orders whose payment found no answer in three attempts."""
CANCELLED = UNAVAILABLE + DECLINED + FAILED
CONFIRMED = ORDERS - CANCELLED
RESERVED = ORDERS - UNAVAILABLE
PRICES = 3
"""Prices that the back office changes."""
STATUSES = ORDERS + RESERVED + ORDERS
"""Placed, reserved, and confirmed or cancelled."""
SUBSCRIBERS = USERS + 1
"""The customers and the back office, which hears every status too."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """What one service counts under one name.

    Attributes:
        service: Which of the shop's processes.
        operation: send, receive or settle.
        system: http, pyee, blinker, websocket, rabbitmq, kafka or redis.
        channel: Exchange, queue, topic, stream, event, path or route.
        detail: The message's type; of a settlement its outcome.
    """

    service: str
    operation: str
    system: str
    channel: str
    detail: str = ""


_WEB = {
    Entry("web", "receive", "http", "POST /api/register"): USERS + 1,
    Entry("web", "receive", "http", "POST /api/orders"): ORDERS + 1,
    Entry("web", "receive", "http", "GET /api/orders/{order_id}"): ORDERS,
    Entry("web", "receive", "http", "PUT /api/prices/{sku}"): PRICES,
    Entry("web", "send", "pyee", "user.registered"): USERS,
    Entry("web", "receive", "pyee", "user.registered"): 2 * USERS,
    Entry("web", "send", "pyee", "order.placed"): ORDERS,
    Entry("web", "receive", "pyee", "order.placed"): 3 * ORDERS,
    Entry("web", "send", "pyee", "inventory.reserved"): RESERVED,
    Entry("web", "receive", "pyee", "inventory.reserved"): 2 * RESERVED,
    Entry("web", "send", "pyee", "inventory.rejected"): UNAVAILABLE,
    Entry("web", "receive", "pyee", "inventory.rejected"): UNAVAILABLE,
    Entry("web", "send", "pyee", "stock.low"): 4,
    Entry("web", "receive", "pyee", "stock.low"): 4,
    Entry("web", "send", "pyee", "payment.charged"): CONFIRMED,
    Entry("web", "receive", "pyee", "payment.charged"): CONFIRMED,
    Entry("web", "send", "pyee", "payment.declined"): DECLINED,
    Entry("web", "receive", "pyee", "payment.declined"): DECLINED,
    Entry("web", "send", "pyee", "payment.failed"): FAILED,
    Entry("web", "receive", "pyee", "payment.failed"): FAILED,
    Entry("web", "send", "pyee", "order.confirmed"): CONFIRMED,
    Entry("web", "receive", "pyee", "order.confirmed"): 2 * CONFIRMED,
    Entry("web", "send", "pyee", "order.cancelled"): CANCELLED,
    Entry("web", "receive", "pyee", "order.cancelled"): 2 * CANCELLED,
    Entry("web", "send", "pyee", "price.changed"): PRICES,
    Entry("web", "receive", "pyee", "price.changed"): PRICES,
    Entry("web", "receive", "pyee", "error"): 2,
    Entry("web", "send", "websocket", "/publish", "order.status"): STATUSES,
    Entry("web", "receive", "websocket", "/publish", "ack"): STATUSES,
}
_NOTIFIER = {
    Entry("notifier", "receive", "websocket", "/publish", "order.status"): STATUSES,
    Entry("notifier", "send", "websocket", "/publish", "ack"): STATUSES,
    Entry("notifier", "send", "blinker", "status-received"): STATUSES,
    Entry("notifier", "receive", "blinker", "status-received"): 2 * STATUSES,
    Entry("notifier", "send", "websocket", "/feed", "order.status"): 2 * STATUSES,
    Entry("notifier", "receive", "websocket", "/feed", "received"): 2 * STATUSES,
    Entry("notifier", "send", "blinker", "delivery-confirmed"): 2 * STATUSES,
    Entry("notifier", "receive", "blinker", "delivery-confirmed"): 2 * STATUSES,
    Entry("notifier", "receive", "websocket", "/feed", "subscribe"): SUBSCRIBERS,
    Entry("notifier", "send", "blinker", "subscriber-joined"): SUBSCRIBERS,
    Entry("notifier", "receive", "blinker", "subscriber-joined"): SUBSCRIBERS,
    Entry("notifier", "receive", "websocket", "/feed", "unsubscribe"): SUBSCRIBERS,
    Entry("notifier", "send", "blinker", "subscriber-left"): SUBSCRIBERS,
    Entry("notifier", "receive", "blinker", "subscriber-left"): SUBSCRIBERS,
    Entry("notifier", "send", "websocket", "/feed", "ack"): 2 * SUBSCRIBERS,
    Entry("notifier", "receive", "websocket", "/feed", "rewind"): 1,
    Entry("notifier", "send", "websocket", "/feed", "error"): 1,
}
_CUSTOMERS = {
    Entry("customers", "send", "http", "POST /api/register"): USERS + 1,
    Entry("customers", "send", "http", "POST /api/orders"): ORDERS + 1,
    Entry("customers", "send", "http", "GET /api/orders/{order_id}"): ORDERS,
    Entry("customers", "send", "http", "PUT /api/prices/{sku}"): PRICES,
    Entry("customers", "send", "websocket", "/feed", "subscribe"): SUBSCRIBERS,
    Entry("customers", "send", "websocket", "/feed", "unsubscribe"): SUBSCRIBERS,
    Entry("customers", "receive", "websocket", "/feed", "ack"): 2 * SUBSCRIBERS,
    Entry("customers", "receive", "websocket", "/feed", "order.status"): 2 * STATUSES,
    Entry("customers", "send", "websocket", "/feed", "received"): 2 * STATUSES,
    Entry("customers", "send", "websocket", "/feed", "rewind"): 1,
    Entry("customers", "receive", "websocket", "/feed", "error"): 1,
}


def expected(prefix: str = "", *, rabbitmq: bool = False, kafka: bool = False, redis: bool = False) -> dict[Entry, int]:
    """What a whole run must say with these brokers, but for `commits`, which depend on timing.

    Args:
        prefix: What stands before the names of channels on brokers (SHOP_PREFIX).
        rabbitmq: Payments go over RabbitMQ.
        kafka: Orders are logged, billed and shipped.
        redis: Prices and activity are announced.
    """
    counts = _WEB | _NOTIFIER | _CUSTOMERS
    if rabbitmq:
        counts |= _with_rabbitmq(prefix)
    if kafka:
        counts |= _with_kafka(prefix)
    if redis:
        counts |= _with_redis(prefix, kafka=kafka)
    more_handlers = {
        "user.registered": (redis, USERS),
        "order.placed": (kafka, ORDERS),
        "order.confirmed": (kafka + redis, CONFIRMED),
        "order.cancelled": (kafka, CANCELLED),
        "price.changed": (redis, PRICES),
    }
    for event, (handlers, emitted) in more_handlers.items():
        counts[Entry("web", "receive", "pyee", event)] += handlers * emitted
    return counts


def _with_rabbitmq(prefix: str) -> dict[Entry, int]:
    work, dead_letters = f"{prefix}payments.work", f"{prefix}payments.dead-letters"
    results, shop = f"{prefix}payments.results", f"{prefix}shop.payment-results"
    outcomes = {"payment.charged": CONFIRMED, "payment.declined": DECLINED, "payment.failed": FAILED}
    retried = SLOW + 2 * FAILED
    return {
        Entry("web", "send", "rabbitmq", f"{prefix}payments", "payment.requested"): RESERVED,
        Entry("payments", "receive", "rabbitmq", work, "payment.requested"): RESERVED + retried,
        Entry("payments", "settle", "rabbitmq", work, "reject"): retried,
        Entry("payments", "settle", "rabbitmq", work, "ack"): RESERVED,
        Entry("payments", "send", "rabbitmq", f"{prefix}payments.dead", "payment.requested"): FAILED,
        Entry("payments", "receive", "rabbitmq", dead_letters, "payment.requested"): FAILED,
        Entry("payments", "settle", "rabbitmq", dead_letters, "ack"): FAILED,
        **{Entry("payments", "send", "rabbitmq", results, kind): count for kind, count in outcomes.items()},
        **{Entry("web", "receive", "rabbitmq", shop, kind): count for kind, count in outcomes.items()},
        Entry("web", "settle", "rabbitmq", shop, "ack"): RESERVED,
    }


def _with_kafka(prefix: str) -> dict[Entry, int]:
    kinds = {"order.placed": ORDERS, "order.confirmed": CONFIRMED, "order.cancelled": CANCELLED}
    parts = (("web", "send"), ("billing", "receive"), ("shipping", "receive"))
    return {
        Entry(service, operation, "kafka", f"{prefix}orders", kind): count
        for service, operation in parts
        for kind, count in kinds.items()
    }


def _with_redis(prefix: str, *, kafka: bool) -> dict[Entry, int]:
    senders = {"user.registered": ("web", USERS), "order.confirmed": ("web", CONFIRMED)}
    if kafka:
        senders |= {"invoice.issued": ("billing", CONFIRMED), "parcel.packed": ("shipping", CONFIRMED)}
    stream, prices = f"{prefix}activity", f"{prefix}prices"
    return {
        **{Entry(who, "send", "redis", stream, kind): count for kind, (who, count) in senders.items()},
        **{Entry("activity", "receive", "redis", stream, kind): n for kind, (_, n) in senders.items()},
        Entry("activity", "settle", "redis", stream, "ack"): sum(count for _, count in senders.values()),
        Entry("web", "send", "redis", prices): PRICES,
        Entry("web", "receive", "redis", prices): PRICES,
        Entry("activity", "receive", "redis", prices): PRICES,
    }


def commits(prefix: str) -> Entry:
    """The one entry whose count depends on timing: batches that shipping has committed."""
    return Entry("shipping", "settle", "kafka", f"{prefix}orders", "commit")


def read_ledger(path: Path) -> dict[Entry, int]:
    """Reads the counts of all services; empty when the shop got nowhere."""
    if not path.exists():
        return {}
    return {
        Entry(service, row["operation"], row["system"], row["channel"], row["type"]): row["count"]
        for service, part in json.loads(path.read_text("utf-8")).items()
        for row in part["entries"]
    }
