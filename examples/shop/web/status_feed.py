"""Tells the notifier about every order's progress, over one WebSocket connection."""

import asyncio
import json
import logging
from itertools import count

from pyee.asyncio import AsyncIOEventEmitter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from shop.events import InventoryReserved, OrderCancelled, OrderConfirmed, OrderPlaced
from shop.runtime import ledger

ACK_SECONDS = 10.0
log = logging.getLogger(__name__)


class StatusFeed:
    """The connection to the notifier: sends statuses, waits for their acknowledgement."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._sequence = count(1)
        self._unanswered: dict[int, asyncio.Future[None]] = {}
        self._reader = asyncio.create_task(self._read_acks())

    @classmethod
    async def open(cls, address: str) -> "StatusFeed":
        """Connect to the notifier at `address`."""
        # The notifier is a neighbour: never by way of a proxy.
        return cls(await connect(f"{address}/publish", proxy=None))

    async def close(self) -> None:
        """Close the connection; call it when no handler is at work any more."""
        await self._connection.close()
        await self._reader

    async def _read_acks(self) -> None:
        try:
            async for text in self._connection:
                ack = json.loads(text)
                ledger.received("websocket", "/publish", ack["type"])
                waiting = self._unanswered.pop(ack["seq"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(None)
        except ConnectionClosedError:
            log.warning("the notifier is gone: customers are told nothing any more")
        for waiting in self._unanswered.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the notifier did not answer"))

    async def _announce(self, order_id: str, user_id: str, status: str, reason: str | None = None) -> None:
        sequence = next(self._sequence)
        message: dict[str, object] = {
            "type": "order.status",
            "seq": sequence,
            "order_id": order_id,
            "user_id": user_id,
            "status": status,
        }
        if reason is not None:
            message["reason"] = reason
        answered = asyncio.get_running_loop().create_future()
        self._unanswered[sequence] = answered
        ledger.sent("websocket", "/publish", "order.status")
        await self._connection.send(json.dumps(message))
        await asyncio.wait_for(answered, ACK_SECONDS)

    async def order_placed(self, event: OrderPlaced) -> None:
        """Tell the customer that the order has arrived."""
        ledger.received("pyee", "order.placed")
        await self._announce(event["order_id"], event["user_id"], "placed")

    async def order_reserved(self, event: InventoryReserved) -> None:
        """Tell the customer that the articles are set aside."""
        ledger.received("pyee", "inventory.reserved")
        await self._announce(event["order_id"], event["user_id"], "reserved")

    async def order_confirmed(self, event: OrderConfirmed) -> None:
        """Tell the customer that the order is paid."""
        ledger.received("pyee", "order.confirmed")
        await self._announce(event["order_id"], event["user_id"], "confirmed")

    async def order_cancelled(self, event: OrderCancelled) -> None:
        """Tell the customer that nothing will come, and why."""
        ledger.received("pyee", "order.cancelled")
        await self._announce(event["order_id"], event["user_id"], "cancelled", event["reason"])

    def connect(self, events: AsyncIOEventEmitter) -> None:
        """Attach the handlers of this connection."""
        events.add_listener("order.placed", self.order_placed)
        events.add_listener("inventory.reserved", self.order_reserved)
        events.add_listener("order.confirmed", self.order_confirmed)
        events.add_listener("order.cancelled", self.order_cancelled)
