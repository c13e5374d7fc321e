"""Writes what happens to orders into the Kafka topic `orders`, keyed by order."""

import asyncio
import json
import logging
from collections.abc import Mapping

from kafka import KafkaProducer
from pyee.asyncio import AsyncIOEventEmitter

from shop.events import OrderCancelled, OrderConfirmed, OrderPlaced
from shop.fulfilment.records import ensure_topic, topic
from shop.runtime import ledger
from shop.runtime.settings import Settings

CLOSE_SECONDS = 10
log = logging.getLogger(__name__)


class OrderLog:
    """The web service's producer."""

    def __init__(self, producer: KafkaProducer, name: str) -> None:
        self._producer = producer
        self._topic = name

    @classmethod
    async def open(cls, bootstrap: str, settings: Settings) -> "OrderLog":
        """Connect to Kafka, create the topic unless it exists."""

        def blocking() -> KafkaProducer:
            ensure_topic(bootstrap, settings)
            producer = KafkaProducer(bootstrap_servers=bootstrap, client_id="shop-web", acks="all")
            producer.partitions_for(topic(settings))  # now, so that the first send need not wait for it
            return producer

        return cls(await asyncio.to_thread(blocking), topic(settings))

    async def close(self) -> None:
        """Send what is still buffered and close."""
        await asyncio.to_thread(self._producer.close, CLOSE_SECONDS)

    def _append(self, kind: str, order_id: str, event: Mapping[str, object]) -> None:
        ledger.sent("kafka", self._topic, kind)
        headers = [("event-type", kind.encode()), ("source", b"shop.web")]
        future = self._producer.send(
            self._topic, key=order_id.encode(), value=json.dumps(event).encode(), headers=headers
        )
        future.add_errback(lambda error: log.error("%s of %s is not in the log: %s", kind, order_id, error))

    def order_placed(self, event: OrderPlaced) -> None:
        """Log a new order, without the card."""
        ledger.received("pyee", "order.placed")
        public = {name: value for name, value in event.items() if name != "card_token"}
        self._append("order.placed", event["order_id"], public)

    def order_confirmed(self, event: OrderConfirmed) -> None:
        """Log a confirmed order: billing and shipping go by it."""
        ledger.received("pyee", "order.confirmed")
        self._append("order.confirmed", event["order_id"], event)

    def order_cancelled(self, event: OrderCancelled) -> None:
        """Log a cancelled order."""
        ledger.received("pyee", "order.cancelled")
        self._append("order.cancelled", event["order_id"], event)

    def connect(self, events: AsyncIOEventEmitter) -> None:
        """Attach the handlers of this producer."""
        events.add_listener("order.placed", self.order_placed)
        events.add_listener("order.confirmed", self.order_confirmed)
        events.add_listener("order.cancelled", self.order_cancelled)
