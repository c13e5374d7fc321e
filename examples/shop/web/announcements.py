"""What the web service tells Redis: new prices by pub/sub, activity by stream; and hears: new prices."""

import asyncio
import json

from pyee.asyncio import AsyncIOEventEmitter
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from shop.activity.log import KEEP, entry, stream
from shop.events import OrderConfirmed, PriceChanged, UserRegistered
from shop.runtime import ledger
from shop.runtime.settings import Settings
from shop.web.prices import forget_tag

POLL_SECONDS = 0.2


class Announcements:
    """The web service's connection to Redis."""

    def __init__(self, client: Redis, subscription: PubSub, settings: Settings) -> None:
        self._client = client
        self._subscription = subscription
        self._prices = settings.name("prices")
        self._stream = stream(settings)
        self._closing = asyncio.Event()
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def open(cls, address: str, settings: Settings) -> "Announcements":
        """Connect to Redis at `address` and subscribe to price announcements."""
        client = Redis.from_url(address, decode_responses=True)
        subscription = client.pubsub(ignore_subscribe_messages=True)
        await subscription.subscribe(settings.name("prices"))
        return cls(client, subscription, settings)

    async def close(self) -> None:
        """Hear what is still under way, then close the connections."""
        self._closing.set()
        await self._listener
        await self._subscription.aclose()  # type: ignore[no-untyped-call]  # redis gives it no types
        await self._client.aclose()

    async def _listen(self) -> None:
        while True:
            closing = self._closing.is_set()
            message = await self._subscription.get_message(timeout=POLL_SECONDS)
            if message is not None:
                self.on_price(json.loads(message["data"]))
            elif closing:
                return

    def on_price(self, announcement: PriceChanged) -> None:
        """Forget the price tag of an article, whichever web server its price was changed on."""
        ledger.received("redis", self._prices)
        forget_tag(announcement["sku"])

    async def price_changed(self, event: PriceChanged) -> None:
        """Announce a new price to every service that keeps prices."""
        ledger.received("pyee", "price.changed")
        ledger.sent("redis", self._prices)
        await self._client.publish(self._prices, json.dumps(event))

    async def user_registered(self, event: UserRegistered) -> None:
        """Note a new account in the activity stream, without personal data."""
        ledger.received("pyee", "user.registered")
        await self._add("user.registered", event["user_id"], {"newsletter": event["newsletter"]})

    async def order_confirmed(self, event: OrderConfirmed) -> None:
        """Note a confirmed order in the activity stream."""
        ledger.received("pyee", "order.confirmed")
        await self._add("order.confirmed", event["order_id"], {"total_cents": event["total_cents"]})

    async def _add(self, kind: str, subject: str, details: dict[str, object]) -> None:
        ledger.sent("redis", self._stream, kind)
        await self._client.xadd(self._stream, entry(kind, subject, details), maxlen=KEEP)

    def connect(self, events: AsyncIOEventEmitter) -> None:
        """Attach the handlers of this connection."""
        events.add_listener("price.changed", self.price_changed)
        events.add_listener("user.registered", self.user_registered)
        events.add_listener("order.confirmed", self.order_confirmed)
