"""The activity service: keeps what the stream says, and hears every price announcement."""

import asyncio
import json
from collections import Counter
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ResponseError

from shop.activity.log import stream
from shop.runtime import ledger, settings
from shop.runtime.lifecycle import announce_ready, stop_requested

GROUP = "recorders"
MEMBER = "recorder-1"
BLOCK_MILLISECONDS = 200
BATCH = 10


class Recorder:
    """Reads the stream as a member of a consumer group."""

    def __init__(self, client: Redis, name: str) -> None:
        self._client = client
        self._name = name
        self.seen: Counter[str] = Counter()

    async def join(self) -> None:
        """Create the stream and the group unless they exist."""
        try:
            await self._client.xgroup_create(self._name, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def read(self, stop: asyncio.Event) -> None:
        """Record entries until asked to stop and the stream has nothing new."""
        while True:
            stopping = stop.is_set()
            batches: Any = await self._client.xreadgroup(
                GROUP, MEMBER, {self._name: ">"}, count=BATCH, block=BLOCK_MILLISECONDS
            )
            for _stream, entries in batches:
                for entry_id, fields in entries:
                    self.record(fields)
                    await self._client.xack(self._name, GROUP, entry_id)
                    ledger.settled("redis", self._name, "ack")
            if stopping and not batches:
                return

    def record(self, fields: dict[str, str]) -> None:
        """Keep one entry of the stream."""
        ledger.received("redis", self._name, fields["type"])
        self.seen[fields["type"]] += 1


class PriceWatch:
    """Hears the price announcements."""

    def __init__(self, subscription: PubSub, channel: str) -> None:
        self._subscription = subscription
        self._channel = channel
        self.latest: dict[str, int] = {}

    async def listen(self, stop: asyncio.Event) -> None:
        """Note announcements until asked to stop and none is waiting."""
        while True:
            stopping = stop.is_set()
            message = await self._subscription.get_message(
                ignore_subscribe_messages=True, timeout=BLOCK_MILLISECONDS / 1000
            )
            if message is not None:
                self.note(json.loads(message["data"]))
            elif stopping:
                return

    def note(self, announcement: dict[str, Any]) -> None:
        """Note the new price of an article."""
        ledger.received("redis", self._channel)
        self.latest[announcement["sku"]] = announcement["price_cents"]


async def serve() -> None:
    """Record activity until asked to stop."""
    stop = stop_requested()
    shop = settings.from_environment()
    if shop.redis is None:
        raise SystemExit("activity: SHOP_REDIS is not set: say where Redis is.")
    async with Redis.from_url(shop.redis, decode_responses=True) as client, client.pubsub() as subscription:
        recorder = Recorder(client, stream(shop))
        await recorder.join()
        await subscription.subscribe(shop.name("prices"))
        watch = PriceWatch(subscription, shop.name("prices"))
        announce_ready()
        await asyncio.gather(recorder.read(stop), watch.listen(stop))
    ledger.write("activity")


if __name__ == "__main__":
    asyncio.run(serve())
