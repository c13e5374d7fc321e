"""Fetches messages with iterators and `get`, and publishes what follows from them. Arguments: url, prefix of names.

Bodies say what they follow from: `after NAME`.
"""

import asyncio
import sys

import aio_pika
from account import did, received, tell
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue


async def publish(exchange: AbstractExchange, queue: AbstractQueue, body: str) -> None:
    await exchange.publish(aio_pika.Message(body.encode()), queue.name)
    did("send", exchange="", routing_key=queue.name, body=body.encode())


async def iterate(channel: AbstractChannel, queue: AbstractQueue, results: AbstractQueue) -> None:
    """Five messages of which the loop takes three; the iterator had prefetched the others."""
    for number in range(5):
        await publish(channel.default_exchange, queue, f"iterated {number}")
    taken = 0
    async with queue.iterator() as messages:
        async for message in messages:
            async with message.process():
                received(queue, message)
                await publish(channel.default_exchange, results, f"after {message.body.decode()}")
                did("ack", tag=message.delivery_tag)
            taken += 1
            if taken == 3:
                break
    # Nothing else has been asked for since: programs take one message like this and work on it afterwards.
    await publish(channel.default_exchange, results, "still after iterated 2")


async def take(channel: AbstractChannel, queue: AbstractQueue, results: AbstractQueue) -> None:
    """The two that were given back, by `get`, the second one inside a task of `wait_for`."""
    first = await queue.get()
    received(queue, first)
    await first.ack()
    did("ack", tag=first.delivery_tag)
    await publish(channel.default_exchange, results, f"after {first.body.decode()}")
    second = await asyncio.wait_for(queue.get(no_ack=True), 5)
    received(queue, second)
    await publish(channel.default_exchange, results, f"after {second.body.decode()}")
    assert await queue.get(fail=False) is None
    try:
        await queue.get()
    except aio_pika.exceptions.QueueEmpty:
        did("found nothing")
    await publish(channel.default_exchange, results, "after nothing")


async def wait_in_vain(queue: AbstractQueue) -> None:
    try:
        async with queue.iterator(timeout=0.2) as messages:
            async for message in messages:
                received(queue, message)
    except TimeoutError:
        did("waited in vain")


async def main(url: str, prefix: str, connect: str) -> None:
    connection = await (aio_pika.connect_robust if connect == "robust" else aio_pika.connect)(url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(f"{prefix}.work", exclusive=True)
        results = await channel.declare_queue(f"{prefix}.results", exclusive=True)
        await iterate(channel, queue, results)
        await take(channel, queue, results)
        await wait_in_vain(queue)
        async for message in results.iterator():
            received(results, message)
            await message.ack()
            did("ack", tag=message.delivery_tag)
            if message.body == b"after iterated 4":
                break
        # What the iterator above has prefetched is lost with it: nobody closed it.
    tell()


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3]))
