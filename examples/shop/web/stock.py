"""The stock: sets articles aside for orders, gives them back, reorders."""

from collections import Counter

from pyee.asyncio import AsyncIOEventEmitter

from shop.events import InventoryRejected, InventoryReserved, OrderCancelled, OrderPlaced, StockLow
from shop.runtime import ledger
from shop.web.bus import bus

REORDER_LEVEL = 490
_on_shelf: Counter[str] = Counter(mug=500, shirt=500, lamp=500, notebook=500)  # posters are sold out
_reserved: dict[str, dict[str, int]] = {}
reordered: list[str] = []


async def reserve_stock(event: OrderPlaced) -> None:
    """Set the articles of a new order aside, all of them or none."""
    ledger.received("pyee", "order.placed")
    wanted: Counter[str] = Counter()
    for item in event["items"]:
        wanted[item["sku"]] += item["quantity"]
    missing = [sku for sku, quantity in wanted.items() if _on_shelf[sku] < quantity]
    if missing:
        rejected: InventoryRejected = {
            "order_id": event["order_id"],
            "missing": missing,
            "reason": "out of stock",
        }
        ledger.sent("pyee", "inventory.rejected")
        bus.emit("inventory.rejected", rejected)
        return
    _reserved[event["order_id"]] = dict(wanted)
    for sku, quantity in wanted.items():
        take_from_shelf(sku, quantity)
    reserved: InventoryReserved = {
        "order_id": event["order_id"],
        "user_id": event["user_id"],
        "reserved": dict(wanted),
        "amount_cents": event["total_cents"],
        "currency": event["currency"],
        "card_token": event["card_token"],
    }
    ledger.sent("pyee", "inventory.reserved")
    bus.emit("inventory.reserved", reserved)


def take_from_shelf(sku: str, quantity: int) -> None:
    """Lower an article's stock, and say so once when it goes below the reorder level."""
    before = _on_shelf[sku]
    _on_shelf[sku] = before - quantity
    if before >= REORDER_LEVEL > _on_shelf[sku] and sku not in reordered:
        low: StockLow = {"sku": sku, "left": _on_shelf[sku]}
        ledger.sent("pyee", "stock.low")
        bus.emit("stock.low", low)


def release_stock(event: OrderCancelled) -> None:
    """Put the articles of a cancelled order back, if any had been set aside."""
    ledger.received("pyee", "order.cancelled")
    for sku, quantity in _reserved.pop(event["order_id"], {}).items():
        _on_shelf[sku] += quantity


def reorder(event: StockLow) -> None:
    """Order more of an article that is running out, once."""
    ledger.received("pyee", "stock.low")
    reordered.append(event["sku"])


def connect(events: AsyncIOEventEmitter) -> None:
    """Attach the handlers of this module."""
    events.add_listener("order.placed", reserve_stock)
    events.add_listener("order.cancelled", release_stock)
    events.add_listener("stock.low", reorder)
