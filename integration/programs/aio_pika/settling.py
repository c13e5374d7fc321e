"""Settles deliveries in every way there is. Arguments: url, prefix of every name."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import aio_pika
from account import did, received, tell
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

Handler = Callable[[AbstractIncomingMessage], Awaitable[None]]


async def acked(message: AbstractIncomingMessage) -> None:
    await message.ack()
    did("ack", tag=message.delivery_tag)


async def nacked(message: AbstractIncomingMessage) -> None:
    await message.nack(requeue=False)
    did("nack", tag=message.delivery_tag)


async def rejected(message: AbstractIncomingMessage) -> None:
    await message.reject()
    did("reject", tag=message.delivery_tag)


async def requeued_once_by_nack(message: AbstractIncomingMessage) -> None:
    if message.redelivered:
        await acked(message)
    else:
        await message.nack()
        did("requeue", tag=message.delivery_tag)


async def requeued_once_by_reject(message: AbstractIncomingMessage) -> None:
    if message.redelivered:
        await acked(message)
    else:
        await message.reject(requeue=True)
        did("requeue", tag=message.delivery_tag)


async def processed(message: AbstractIncomingMessage) -> None:
    async with message.process():
        did("ack", tag=message.delivery_tag)


async def processed_in_vain(message: AbstractIncomingMessage) -> None:
    async with message.process():
        did("reject", tag=message.delivery_tag)
        raise ValueError("refused by the handler")


async def processed_again(message: AbstractIncomingMessage) -> None:
    async with message.process(requeue=True, reject_on_redelivered=True):
        did("reject" if message.redelivered else "requeue", tag=message.delivery_tag)
        raise LookupError("not yet")


async def processed_by_hand(message: AbstractIncomingMessage) -> None:
    async with message.process(ignore_processed=True):
        await nacked(message)


async def forgotten(message: AbstractIncomingMessage) -> None:
    raise RuntimeError("nobody settles this")


HANDLERS: tuple[tuple[Handler, int], ...] = (
    (acked, 1),
    (nacked, 1),
    (rejected, 1),
    (requeued_once_by_nack, 2),
    (requeued_once_by_reject, 2),
    (processed, 1),
    (processed_in_vain, 1),
    (processed_again, 2),
    (processed_by_hand, 1),
    (forgotten, 1),
)


async def run(channel: AbstractChannel, queue: AbstractQueue, handler: Handler, deliveries: int) -> None:
    """Have one message handled until it is gone, or as gone as it will be."""
    left = asyncio.Semaphore(0)

    async def on_message(message: AbstractIncomingMessage) -> None:
        received(queue, message)
        try:
            await handler(message)
        finally:
            left.release()

    tag = await queue.consume(on_message)
    await channel.default_exchange.publish(aio_pika.Message(handler.__name__.encode()), queue.name)
    for _ in range(deliveries):
        await left.acquire()
    await queue.cancel(tag)


async def several(queue: AbstractQueue, channel: AbstractChannel) -> None:
    """Three messages, settled by one acknowledgement."""
    for number in range(3):
        await channel.default_exchange.publish(aio_pika.Message(b"%d" % number), queue.name)
    last = None
    for _ in range(3):
        last = await queue.get()
        received(queue, last)
    assert last is not None
    await last.ack(multiple=True)
    did("ack", tag=last.delivery_tag, multiple=True)


async def main(url: str, prefix: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # the handlers raise on purpose
    connection = await aio_pika.connect_robust(url)
    async with connection:
        channel = await connection.channel()
        for handler, deliveries in HANDLERS:
            queue = await channel.declare_queue(f"{prefix}.{handler.__name__}", exclusive=True)
            await run(channel, queue, handler, deliveries)
        queue = await channel.declare_queue(f"{prefix}.several", exclusive=True)
        await several(queue, channel)
        no_ack = await channel.declare_queue(f"{prefix}.no_ack", exclusive=True)
        await channel.default_exchange.publish(aio_pika.Message(b"no ack"), no_ack.name)
        message = await no_ack.get(no_ack=True)
        received(no_ack, message)
    tell()


asyncio.run(main(sys.argv[1], sys.argv[2]))
