"""Collects payments inside the web service: for installations without a message broker."""

import asyncio

from pyee.asyncio import AsyncIOEventEmitter

from shop.events import InventoryReserved, PaymentResult
from shop.payments.gateway import MAX_ATTEMPTS, CardDeclinedError, GatewayTimeoutError, charge
from shop.runtime import ledger
from shop.web.bus import bus

PAUSE_SECONDS = 0.02


async def collect_payment(event: InventoryReserved) -> None:
    """Charge the card of an order whose articles are set aside, up to three times."""
    ledger.received("pyee", "inventory.reserved")
    order_id, amount_cents = event["order_id"], event["amount_cents"]
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            transaction_id = await charge(event["card_token"], amount_cents, attempt)
        except GatewayTimeoutError:
            await asyncio.sleep(PAUSE_SECONDS * attempt)
        except CardDeclinedError:
            declined: PaymentResult = {
                "order_id": order_id,
                "attempts": attempt,
                "reason": "card declined",
            }
            ledger.sent("pyee", "payment.declined")
            bus.emit("payment.declined", declined)
            return
        else:
            charged: PaymentResult = {
                "order_id": order_id,
                "attempts": attempt,
                "transaction_id": transaction_id,
                "amount_cents": amount_cents,
            }
            ledger.sent("pyee", "payment.charged")
            bus.emit("payment.charged", charged)
            return
    failed: PaymentResult = {"order_id": order_id, "attempts": MAX_ATTEMPTS, "reason": "payment failed"}
    ledger.sent("pyee", "payment.failed")
    bus.emit("payment.failed", failed)


def connect(events: AsyncIOEventEmitter) -> None:
    """Attach the handler of this module."""
    events.add_listener("inventory.reserved", collect_payment)
