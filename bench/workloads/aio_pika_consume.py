"""aio-pika: consume a queue by callback and acknowledge each message."""

import asyncio
from typing import Any

import aio_pika
import measuring
from aio_pika.abc import AbstractIncomingMessage

options = measuring.options()
QUEUE: dict[str, Any] = {"x-expires": 600_000}


async def prepare() -> None:
    connection = await aio_pika.connect(options.url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(options.channel, arguments=QUEUE)
        await queue.purge()
        bodies = measuring.bodies(options.all)
        for start in range(0, len(bodies), 100):
            await asyncio.gather(
                *(
                    channel.default_exchange.publish(
                        aio_pika.Message(body, content_type="application/json"), routing_key=options.channel
                    )
                    for body in bodies[start : start + 100]
                )
            )


async def clean() -> None:
    async with await aio_pika.connect(options.url) as connection:
        await (await connection.channel()).queue_delete(options.channel)


async def main() -> None:
    connection = await aio_pika.connect(options.url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=100)
        queue = await channel.declare_queue(options.channel, arguments=QUEUE)
        handled = 0
        warm, done = asyncio.Event(), asyncio.Event()
        go_on = asyncio.Event()

        async def handle(message: AbstractIncomingMessage) -> None:
            nonlocal handled
            handled += 1
            if handled == options.warm_up:
                warm.set()
                await go_on.wait()
            await message.ack()
            if handled == options.all:
                done.set()

        await queue.consume(handle)
        await warm.wait()
        with measuring.measured(options):
            go_on.set()
            await done.wait()


asyncio.run({"run": main, "prepare": prepare, "clean": clean}[options.step]())
