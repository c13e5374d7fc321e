"""Publishes that are confirmed, refused, returned, not confirmed at all, cut short and impossible.

Arguments: url, prefix of every name.
"""

import asyncio
import sys
from typing import Any

import aio_pika
from account import did, tell
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage
from aiormq.exceptions import DeliveryError, PublishError


async def publish(exchange: AbstractExchange, routing_key: str, body: bytes, **options: Any) -> None:
    message = aio_pika.Message(body, app_id="shop")
    try:
        result = await exchange.publish(message, routing_key, **options)
    except (DeliveryError, PublishError, ValueError) as error:
        did("send", body=body, error=type(error).__name__)
        return
    did("send", body=body, result=type(result).__name__)


async def returned_to_callbacks(channel: AbstractChannel, known: str) -> None:
    """What can't be routed comes back to a callback, which publishes it elsewhere."""
    elsewhere = asyncio.Event()

    async def on_return(_channel: Any, message: AbstractIncomingMessage) -> None:
        did("returned", body=message.body, routing_key=message.routing_key)
        await publish(channel.default_exchange, known, b"instead of " + message.body)
        elsewhere.set()

    channel.return_callbacks.add(on_return)
    await publish(channel.default_exchange, "nobody", b"returned to a callback")
    await elsewhere.wait()
    channel.return_callbacks.discard(on_return)
    await publish(channel.default_exchange, "nobody", b"not mandatory", mandatory=False)


async def main(url: str, prefix: str) -> None:
    connection = await aio_pika.connect(url, client_properties={"connection_name": "confirming"})
    async with connection:
        channel = await connection.channel(on_return_raises=True)
        queue = await channel.declare_queue(f"{prefix}.queue", exclusive=True)
        exchange = channel.default_exchange
        await publish(exchange, queue.name, b"confirmed")
        await publish(exchange, "nobody", b"returned with an error")
        full = await channel.declare_queue(
            f"{prefix}.full", exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"}
        )
        await publish(exchange, full.name, b"fits")
        await publish(exchange, full.name, b"refused")
        await publish(exchange, "k" * 256, b"key too long")

        await returned_to_callbacks(await connection.channel(), queue.name)

        unconfirmed = await connection.channel(publisher_confirms=False)
        await publish(unconfirmed.default_exchange, queue.name, b"not confirmed")
        await publish(unconfirmed.default_exchange, "nobody", b"returned to nobody")
        await publish(unconfirmed.default_exchange, "nobody", b"dropped", mandatory=False)
        await unconfirmed.declare_queue(queue.name, passive=True)  # answered after what came back

        async with (await connection.channel(publisher_confirms=False)).transaction():
            pass
    tell()


asyncio.run(main(sys.argv[1], sys.argv[2]))
