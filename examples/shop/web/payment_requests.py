"""Has payments collected by the payments service: requests go out over RabbitMQ, results come back."""

import json
from datetime import UTC, datetime

import aio_pika
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustConnection
from pyee.asyncio import AsyncIOEventEmitter

from shop.events import InventoryReserved, PaymentRequested, PaymentResult
from shop.payments.queues import PaymentQueues, declare
from shop.runtime import ledger
from shop.runtime.settings import Settings
from shop.web.bus import bus


class PaymentRequests:
    """The web service's connection to the payment queues."""

    def __init__(self, connection: AbstractRobustConnection, queues: PaymentQueues) -> None:
        self._connection = connection
        self._queues = queues
        self._consumer_tag = ""

    @classmethod
    async def open(cls, address: str, settings: Settings) -> "PaymentRequests":
        """Connect to the broker at `address` and listen for results."""
        connection = await aio_pika.connect_robust(address)
        channel = await connection.channel()
        requests = cls(connection, await declare(channel, settings))
        requests._consumer_tag = await requests._queues.shop_results.consume(requests.on_result)
        return requests

    async def close(self) -> None:
        """Stop listening and close the connection."""
        await self._queues.shop_results.cancel(self._consumer_tag)
        await self._connection.close()

    async def request_payment(self, event: InventoryReserved) -> None:
        """Ask the payments service to charge the card of an order whose articles are set aside."""
        ledger.received("pyee", "inventory.reserved")
        request: PaymentRequested = {
            "order_id": event["order_id"],
            "amount_cents": event["amount_cents"],
            "currency": event["currency"],
            "card_token": event["card_token"],
            "requested_at": datetime.now(UTC).isoformat(),
        }
        message = Message(
            json.dumps(request).encode(),
            type="payment.requested",
            content_type="application/json",
            correlation_id=event["order_id"],
            delivery_mode=DeliveryMode.PERSISTENT,
            headers={"source": "shop.web", "shop-region": "eu"},
            app_id="shop",
        )
        ledger.sent("rabbitmq", self._queues.requests.name, "payment.requested")
        await self._queues.requests.publish(message, routing_key="payment.requested")

    async def on_result(self, message: AbstractIncomingMessage) -> None:
        """Put the result of a payment on the bus, where orders are confirmed or cancelled."""
        async with message.process():
            result: PaymentResult = json.loads(message.body)
            kind = message.type or ""
            ledger.received("rabbitmq", self._queues.shop_results.name, kind)
            ledger.sent("pyee", kind)
            bus.emit(kind, result)
        ledger.settled("rabbitmq", self._queues.shop_results.name, "ack")

    def connect(self, events: AsyncIOEventEmitter) -> None:
        """Attach the handler of this connection."""
        events.add_listener("inventory.reserved", self.request_payment)
