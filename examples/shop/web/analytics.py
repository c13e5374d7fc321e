"""Figures for the marketing people."""

from collections import Counter

from pyee.asyncio import AsyncIOEventEmitter

from shop.events import OrderPlaced, UserRegistered
from shop.runtime import ledger

signups: Counter[str] = Counter()
sales: Counter[str] = Counter()


def count_signup(event: UserRegistered) -> None:
    """Count a registration under the site that it came from."""
    ledger.received("pyee", "user.registered")
    signups[event["referrer"] or "direct"] += 1


def track_order(event: OrderPlaced) -> None:
    """Add an order to the day's sales, by sales channel and by coupon."""
    ledger.received("pyee", "order.placed")
    sales[event["sales_channel"]] += event["total_cents"]
    if "coupon" in event:
        sales[f"coupon {event['coupon']}"] += event["total_cents"]


def connect(events: AsyncIOEventEmitter) -> None:
    """Attach the handlers of this module."""
    events.add_listener("user.registered", count_signup)
    events.add_listener("order.placed", track_order)
