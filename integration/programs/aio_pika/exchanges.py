"""Publishes through every kind of exchange, with every property and kind of header, to callbacks that tell.

Arguments: url, prefix of every name.
"""

import asyncio
import datetime as dt
import decimal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aio_pika
from account import did, received, tell
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage, AbstractQueue

HEADERS: dict[str, Any] = {
    "text": "ünï",
    "number": -70_000,
    "large": 2**40,
    "fraction": 0.5,
    "yes": True,
    "nothing": None,
    "exact": decimal.Decimal("3.14"),
    "at": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    "table": {"list": [1, "two", {"three": 3}], "at": dt.datetime(2020, 5, 6, tzinfo=dt.UTC)},
    "octets": bytearray(b"\x00\xff"),
}


def handler(queue: AbstractQueue, expected: asyncio.Semaphore) -> Callable[[AbstractIncomingMessage], Awaitable[None]]:
    async def on_message(message: AbstractIncomingMessage) -> None:
        received(queue, message)
        await message.ack()
        expected.release()

    return on_message


async def publish(exchange: AbstractExchange, routing_key: str, body: bytes, **properties: Any) -> None:
    message = aio_pika.Message(body, **properties)
    await exchange.publish(message, routing_key)
    did("send", exchange=exchange.name, routing_key=routing_key, body=body, message_id=message.message_id)


async def main(url: str, prefix: str) -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        got = asyncio.Semaphore(0)
        queue = await channel.declare_queue(f"{prefix}.queue", exclusive=True)
        await queue.consume(handler(queue, got), consumer_tag="reader")

        await publish(channel.default_exchange, queue.name, b"by name")
        await got.acquire()
        direct = await channel.declare_exchange(f"{prefix}.direct", "direct", auto_delete=True)
        await queue.bind(direct, "exact")
        await publish(direct, "exact", b"")
        await got.acquire()
        topic = await channel.declare_exchange(f"{prefix}.topic", aio_pika.ExchangeType.TOPIC, auto_delete=True)
        await queue.bind(topic, "orders.*.created")
        await publish(topic, "orders.eu.created", bytes(range(256)), message_id="own id", correlation_id="c-1")
        await got.acquire()
        fanout = await channel.declare_exchange(f"{prefix}.fanout", "fanout", auto_delete=True)
        other = await channel.declare_queue(f"{prefix}.other", exclusive=True)
        await other.consume(handler(other, got))
        await queue.bind(fanout)
        await other.bind(fanout)
        await publish(fanout, "ignored", b'{"to": "all"}', content_type="application/json")
        await got.acquire()
        await got.acquire()
        matched = await channel.declare_exchange(f"{prefix}.headers", "headers", auto_delete=True)
        await queue.bind(matched, arguments={"x-match": "all", "text": "ünï"})
        await publish(
            matched,
            "",
            b"\xff" * 200_000,
            headers=HEADERS,
            content_type="application/octet-stream",
            content_encoding="identity",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            priority=3,
            correlation_id="c-2",
            reply_to="answers",
            expiration=60.25,
            message_id="id-2",
            timestamp=dt.datetime(2026, 7, 8, 9, 10, 11),  # noqa: DTZ001 - a zone is what this one lacks
            type="order.created",
            user_id="guest",
            app_id="shop",
        )
        await got.acquire()
    tell()


asyncio.run(main(sys.argv[1], sys.argv[2]))
