"""Publishes a body in each format and takes it from the queue again."""

from __future__ import annotations

import asyncio
import sys

import aio_pika
from encodings_of_orders import account, bodies


async def main(url: str, name: str) -> None:
    sent = bodies()
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(name, auto_delete=True)
        for each in sent:
            message = aio_pika.Message(
                each.body, content_type=each.content_type, content_encoding=each.content_encoding
            )
            await channel.default_exchange.publish(message, routing_key=name)
            got = await queue.get(timeout=10)
            assert got.body == each.body
            await got.ack()
    account(sent)


asyncio.run(main(*sys.argv[1:]))
