"""Orders: placed by members, confirmed when paid, cancelled otherwise."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from pyee.asyncio import AsyncIOEventEmitter

from shop.events import (
    InventoryRejected,
    OrderCancelled,
    OrderConfirmed,
    OrderLine,
    OrderPlaced,
    PaymentResult,
    SalesChannel,
)
from shop.runtime import ledger
from shop.web.bus import bus

COUPONS = {"WELCOME10": 10, "SPRING5": 5}


@dataclass(slots=True)
class Order:
    """An order and how far it is."""

    order_id: str
    user_id: str
    items: list[OrderLine]
    total_cents: int
    coupon: str | None
    status: str = "placed"
    reason: str | None = None
    history: list[str] = field(default_factory=list)


_orders: dict[str, Order] = {}


def find_order(order_id: str) -> Order | None:
    """Return the order with this id, if there is one."""
    return _orders.get(order_id)


def place_order(
    user_id: str, items: list[OrderLine], card_token: str, sales_channel: SalesChannel, coupon: str | None
) -> Order:
    """Take an order and announce it on the bus; a known coupon lowers the total."""
    full_cents = sum(item["unit_price_cents"] * item["quantity"] for item in items)
    total_cents = full_cents * (100 - COUPONS.get(coupon or "", 0)) // 100
    order = Order(str(uuid4()), user_id, items, total_cents, coupon)
    _orders[order.order_id] = order
    event: OrderPlaced = {
        "order_id": order.order_id,
        "user_id": user_id,
        "items": items,
        "total_cents": total_cents,
        "currency": "EUR",
        "sales_channel": sales_channel,
        "card_token": card_token,
        "placed_at": datetime.now(UTC).isoformat(),
    }
    if coupon is not None:
        event["coupon"] = coupon
    ledger.sent("pyee", "order.placed")
    bus.emit("order.placed", event)
    return order


def confirm_order(event: PaymentResult) -> None:
    """Confirm an order whose payment went through."""
    ledger.received("pyee", "payment.charged")
    order = _orders[event["order_id"]]
    order.status = "confirmed"
    confirmed: OrderConfirmed = {
        "order_id": order.order_id,
        "user_id": order.user_id,
        "total_cents": order.total_cents,
        "currency": "EUR",
        "transaction_id": event.get("transaction_id", ""),
        "items": order.items,
    }
    if order.coupon is not None:
        confirmed["coupon"] = order.coupon
    ledger.sent("pyee", "order.confirmed")
    bus.emit("order.confirmed", confirmed)


def cancel_unavailable(event: InventoryRejected) -> None:
    """Cancel an order that the stock cannot serve."""
    ledger.received("pyee", "inventory.rejected")
    _cancel(event["order_id"], event["reason"])


def cancel_declined(event: PaymentResult) -> None:
    """Cancel an order whose card the bank declined."""
    ledger.received("pyee", "payment.declined")
    _cancel(event["order_id"], event.get("reason", "card declined"))


def cancel_unpaid(event: PaymentResult) -> None:
    """Cancel an order whose payment could not be carried out at all."""
    ledger.received("pyee", "payment.failed")
    _cancel(event["order_id"], event.get("reason", "payment failed"))


def _cancel(order_id: str, reason: str) -> None:
    order = _orders[order_id]
    order.status, order.reason = "cancelled", reason
    cancelled: OrderCancelled = {"order_id": order_id, "user_id": order.user_id, "reason": reason}
    ledger.sent("pyee", "order.cancelled")
    bus.emit("order.cancelled", cancelled)


def connect(events: AsyncIOEventEmitter) -> None:
    """Attach the handlers of this module."""
    events.add_listener("inventory.rejected", cancel_unavailable)
    events.add_listener("payment.charged", confirm_order)
    events.add_listener("payment.declined", cancel_declined)
    events.add_listener("payment.failed", cancel_unpaid)
