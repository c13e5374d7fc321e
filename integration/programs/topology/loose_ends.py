"""Declares, binds and sends on RabbitMQ, and leaves some ends loose. Arguments: url, prefix, numbers as JSON.

`used` bindings are sent through, `unused` are not; `heard` queues have a consumer, `unheard` have none; `nowhere` are routing
keys that match nothing. The queues stay, for they are to be inspected.
"""

import asyncio
import json
import sys

import aio_pika

url, prefix, text = sys.argv[1:]
numbers = json.loads(text)


async def main() -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(f"{prefix}.x", "topic", auto_delete=False)
        got = asyncio.Semaphore(0)

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            await message.ack()
            got.release()

        for kind in ("heard", "unheard"):
            for number in range(numbers[kind]):
                queue = await channel.declare_queue(f"{prefix}.{kind}.{number}")
                await queue.bind(exchange, f"{kind}.{number}.#")
                if kind == "heard":
                    await queue.consume(take)
        first = await channel.declare_queue(f"{prefix}.heard.0", passive=True)
        for number in range(numbers["unused"]):
            await first.bind(exchange, f"unused.{number}.*")
        for kind in ("heard", "unheard"):
            for number in range(numbers[kind]):
                await exchange.publish(aio_pika.Message(b"{}"), f"{kind}.{number}.sent")
        for number in range(numbers["nowhere"]):
            await exchange.publish(aio_pika.Message(b"{}"), f"nowhere.{number}", mandatory=False)
        for _ in range(numbers["heard"]):
            await asyncio.wait_for(got.acquire(), 30)


asyncio.run(main())
