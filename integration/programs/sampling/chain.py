"""Conversations over two queues and a bus, and messages without an id over many queues.

chain.py amqp_url prefix count [last]     `last` is the end of the chain, a process of its own that the first starts
"""

import asyncio
import subprocess
import sys

import aio_pika
from pyee.base import EventEmitter

url, prefix, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
PLAIN = 20
bus = EventEmitter()


@bus.on("worked")
def on_worked(_name: str) -> None:
    pass


async def consume(channel: aio_pika.abc.AbstractChannel, name: str, wanted: int, work: object) -> None:
    over = asyncio.Event()
    got = 0
    queue = await channel.declare_queue(f"{prefix}.{name}")

    async def handle(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        nonlocal got
        await work(message)
        await message.ack()
        got += 1
        if got == wanted:
            over.set()

    tag = await queue.consume(handle)
    await over.wait()
    await queue.cancel(tag)


async def last() -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()

        async def work(_message: object) -> None:
            bus.emit("worked", "last")

        await consume(channel, "second", count, work)


async def main() -> None:
    end = subprocess.Popen([sys.executable, *sys.argv, "last"])  # noqa: ASYNC220 - it is beside, and waited for at the end
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(f"{prefix}.second")

        async def work(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            bus.emit("worked", "first")
            onward = aio_pika.Message(b"onward", correlation_id=message.correlation_id)
            await channel.default_exchange.publish(onward, f"{prefix}.second")

        consuming = asyncio.create_task(consume(channel, "first", count, work))
        await asyncio.sleep(0.2)
        for number in range(count):
            begun = aio_pika.Message(b"begun", correlation_id=f"conversation-{number}")
            await channel.default_exchange.publish(begun, f"{prefix}.first")
        await consuming
        for place in range(PLAIN):
            queue = await channel.declare_queue(f"{prefix}.plain.{place}", exclusive=True)
            for _ in range(3):
                await channel.default_exchange.publish(aio_pika.Message(b"plain"), queue.name)
            for _ in range(3):
                await (await queue.get()).ack()
    assert end.wait() == 0


asyncio.run(last() if len(sys.argv) > 4 else main())
