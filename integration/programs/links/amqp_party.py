"""RabbitMQ: a fanout exchange to a queue of two workers and a queue of one; every fiftieth is refused once and comes again."""

from __future__ import annotations

import asyncio
import sys

import aio_pika
from bodies import Ledger, bodies, identity

role, url, exchange_name, count_text, path = sys.argv[1:]
name, _, number_text = role.partition("/")
ledger = Ledger(path)
count = int(count_text)


async def produce() -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(exchange_name, aio_pika.ExchangeType.FANOUT)
        for body in bodies(int(number_text), count):
            await exchange.publish(aio_pika.Message(body), routing_key="")
            ledger.sent.append(identity(body))


async def consume() -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=20)
        exchange = await channel.declare_exchange(exchange_name, aio_pika.ExchangeType.FANOUT)
        queue = await channel.declare_queue(f"{exchange_name}.{name}")
        await queue.bind(exchange)
        last = asyncio.get_running_loop().time()

        async def on_message(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            nonlocal last
            last = asyncio.get_running_loop().time()
            ledger.received.append(identity(message.body))
            if not message.redelivered and int(identity(message.body).partition("-")[2]) % 50 == 0:
                await message.nack(requeue=True)
            else:
                await message.ack()

        await queue.consume(on_message)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)  # until no more will be sent
        while asyncio.get_running_loop().time() - last < 1.5:  # noqa: ASYNC110 - silence, and others' state, set no event
            await asyncio.sleep(0.1)


asyncio.run(produce() if name == "producer" else consume())
ledger.write()
