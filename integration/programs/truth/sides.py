"""The clients of a service: RabbitMQ by aio-pika, Kafka by kafka-python, Redis by redis-py's asyncio client."""

import asyncio
import contextlib
import json
import time
from typing import Any

import aio_pika
import redis.asyncio
from kafka import KafkaConsumer, KafkaProducer


class Amqp:
    """Exchanges and queues."""

    def __init__(self, url: str, service: Any) -> None:
        self.url = url
        self.service = service
        self.exchanges: dict[str, Any] = {}
        self.queues: set[str] = set()

    async def begin(self) -> None:
        self.connection = await aio_pika.connect(self.url)
        self.channel = await self.connection.channel()
        for message in self.service.script.messages:
            if message["kind"] == "exchange" and message["channel"] not in self.exchanges:
                self.exchanges[message["channel"]] = await self.channel.declare_exchange(
                    message["channel"], aio_pika.ExchangeType.TOPIC, auto_delete=False
                )
        for each in self.service.script.takes:
            if each["system"] == "rabbitmq" and "{}" not in each["queue"]:
                await self.consume(each["queue"], each["handler"], each["channel"], each["key"])

    async def consume(self, name: str, handler: str, exchange: str, key: str) -> None:
        queue = await self.channel.declare_queue(name, auto_delete=False)
        if exchange in self.exchanges:
            await queue.bind(self.exchanges[exchange], key)
        if name in self.queues:
            return
        self.queues.add(name)

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            address = message.exchange or message.routing_key or ""
            with contextlib.suppress(Exception):
                async with message.process():
                    await self.service.take(handler, address, message.body.decode())

        await queue.consume(take)

    async def send(self, message: dict[str, Any]) -> None:
        exchange = self.exchanges.get(message["channel"], self.channel.default_exchange)
        reply_to = message.get("reply_to")
        if reply_to and reply_to not in self.queues:
            handler = next(
                each["handler"] for each in self.service.script.takes if each.get("queue") == message["replies"]
            )
            await self.consume(reply_to, handler, "", "")
        await exchange.publish(
            aio_pika.Message(
                message["body"].encode(),
                headers=dict(message["headers"]),
                content_type="application/json",
                type=message.get("event_type"),
                correlation_id=message.get("correlation_id"),
                reply_to=reply_to,
            ),
            message["key"],
        )

    async def loop(self) -> None:
        """Deliveries come by themselves."""

    async def end(self) -> None:
        for name in self.queues:
            with contextlib.suppress(aio_pika.exceptions.AMQPError):
                await self.channel.queue_delete(name, if_unused=False, if_empty=False)
        await self.connection.close()


class Kafka:
    """Topics, one record at a time."""

    def __init__(self, servers: str, service: Any) -> None:
        self.service = service
        self.producer = KafkaProducer(bootstrap_servers=servers)
        self.handlers = {e["channel"]: e["handler"] for e in service.script.takes if e["system"] == "kafka"}
        self.consumer = None
        if self.handlers:
            self.consumer = KafkaConsumer(
                *self.handlers,
                bootstrap_servers=servers,
                group_id=f"{service.script.topics[0]}.{service.script.service}",
                auto_offset_reset="earliest",
                max_poll_records=1,
            )

    async def begin(self) -> None:
        deadline = time.monotonic() + 60
        while self.consumer is not None and not self.consumer.assignment():
            # A poll that ends in the middle of joining leaves kafka-python 3.0.12 joined and without partitions for good.
            self.consumer.poll(timeout_ms=2_000)
            if time.monotonic() > deadline:
                raise TimeoutError("no partition was assigned within a minute")

    async def send(self, message: dict[str, Any]) -> None:
        headers = [(name, value.encode()) for name, value in message["headers"]]
        self.producer.send(
            message["channel"], message["body"].encode(), key=message["message_key"].encode(), headers=headers
        )
        await asyncio.sleep(0)

    async def loop(self) -> None:
        while self.consumer is not None:
            polled = self.consumer.poll(timeout_ms=0, max_records=1)
            for record in (each for records in polled.values() for each in records):
                with contextlib.suppress(Exception):
                    await self.service.take(self.handlers[record.topic], record.topic, record.value.decode())
            await asyncio.sleep(0 if polled else 0.01)

    async def end(self) -> None:
        self.producer.close()
        if self.consumer is not None:
            self.consumer.close()


class Redis:
    """Publish/subscribe, streams and lists."""

    def __init__(self, url: str, service: Any) -> None:
        self.service = service
        self.client = redis.asyncio.Redis.from_url(url, decode_responses=True)
        self.takes = [each for each in service.script.takes if each["system"] == "redis"]

    async def begin(self) -> None:
        self.pubsub = self.client.pubsub()
        self.handlers: dict[str, str] = {}
        for each in self.takes:
            name = each["channel"]
            self.handlers[name] = each["handler"]
            if each["kind"] == "pubsub":
                await (self.pubsub.psubscribe(name.replace("{}", "*")) if "{}" in name else self.pubsub.subscribe(name))
            elif each["kind"] == "stream":
                with contextlib.suppress(redis.ResponseError):
                    await self.client.xgroup_create(name, self.service.script.service, id="0", mkstream=True)

    async def send(self, message: dict[str, Any]) -> None:
        if message["kind"] == "pubsub":
            await self.client.publish(message["channel"], message["body"])
        elif message["kind"] == "list":
            await self.client.rpush(message["channel"], message["body"])
        else:
            entry = json.loads(message["body"])
            await self.client.xadd(
                message["channel"], {k: v if isinstance(v, str) else json.dumps(v) for k, v in entry.items()}
            )

    async def loop(self) -> None:
        loops = [self._subscribed()] if any(each["kind"] == "pubsub" for each in self.takes) else []
        loops += [self._stream(name) for name in {each["channel"] for each in self.takes if each["kind"] == "stream"}]
        loops += [self._list(name) for name in {each["channel"] for each in self.takes if each["kind"] == "list"}]
        await asyncio.gather(*loops)

    async def _subscribed(self) -> None:
        while True:
            message = await self.pubsub.get_message(ignore_subscribe_messages=True, timeout=0.2)
            if message is not None:
                pattern = (message["pattern"] or message["channel"]).replace("*", "{}")
                await self._take(self.handlers[pattern], message["channel"], message["data"])

    async def _stream(self, name: str) -> None:
        group = self.service.script.service
        while True:
            found = await self.client.xreadgroup(group, "one", {name: ">"}, count=1, block=200)
            for _, entries in found.items() if isinstance(found, dict) else found:
                for identity, entry in entries[0] if entries and isinstance(entries[0], list) else entries:
                    body = {k: json.loads(v) if v[:1] in {"{", "["} else v for k, v in entry.items()}
                    await self._take(self.handlers[name], name, json.dumps(body))
                    await self.client.xack(name, group, identity)

    async def _list(self, name: str) -> None:
        while True:
            found = await self.client.blpop([name], timeout=1)
            if found:
                await self._take(self.handlers[name], name, found[1])

    async def _take(self, handler: str, address: str, body: str) -> None:
        with contextlib.suppress(Exception):
            await self.service.take(handler, address, body)

    async def end(self) -> None:
        await self.pubsub.aclose()
        await self.client.aclose()
