"""Handlers that publish in every way; bodies say what they follow from: `SOMETHING after NAME`.

Arguments: url, prefix of every name.
"""

import asyncio
import functools
import sys
from typing import Any

import aio_pika
import aio_pika.tools
from account import did, tell
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage, AbstractQueue


class Handlers:
    """Handlers that are methods, with what they need."""

    def __init__(self, exchange: AbstractExchange, sink: AbstractQueue) -> None:
        self._exchange = exchange
        self._sink = sink
        self.background: list[asyncio.Task[None]] = []

    async def publish(self, what: str, message: AbstractIncomingMessage) -> None:
        await self._exchange.publish(
            aio_pika.Message(f"{what} after {message.body.decode()}".encode()), self._sink.name
        )

    async def directly(self, message: AbstractIncomingMessage) -> None:
        async with message.process():
            await self.publish("reply", message)

    async def in_tasks(self, message: AbstractIncomingMessage) -> None:
        await asyncio.gather(self.publish("one", message), self.publish("two", message))
        await message.ack()

    async def after_ack(self, message: AbstractIncomingMessage) -> None:
        await message.ack()
        await self.publish("work", message)

    async def in_the_background(self, message: AbstractIncomingMessage) -> None:
        async def later() -> None:
            await asyncio.sleep(0.05)
            await self.publish("late", message)

        self.background.append(asyncio.create_task(later()))
        await message.ack()

    async def from_a_thread(self, message: AbstractIncomingMessage) -> None:
        loop = asyncio.get_running_loop()

        def work() -> None:
            asyncio.run_coroutine_threadsafe(self.publish("threaded", message), loop).result(10)

        await asyncio.to_thread(work)
        await message.ack()

    async def with_options(self, option: str, message: AbstractIncomingMessage) -> None:
        await self.publish(option, message)
        await message.ack()


class Callable:
    """A handler that is an object."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    async def __call__(self, message: AbstractIncomingMessage) -> None:
        await self._handlers.directly(message)


async def main(url: str, prefix: str) -> None:
    connection = await aio_pika.connect_robust(url)
    async with connection:
        channel = await connection.channel()
        first = await channel.declare_queue(f"{prefix}.first", exclusive=True)
        sink = await channel.declare_queue(f"{prefix}.sink", exclusive=True)
        await channel.default_exchange.publish(aio_pika.Message(b"first"), first.name)
        await first.get(no_ack=True)
        # A channel that is opened while a message is being handled has nothing to do with that message.
        channel = await connection.channel()
        handlers = Handlers(channel.default_exchange, sink)
        published = 0
        for name, handler, effects in (
            ("directly", handlers.directly, 1),
            ("in_tasks", handlers.in_tasks, 2),
            ("after_ack", handlers.after_ack, 1),
            ("in_the_background", handlers.in_the_background, 1),
            ("from_a_thread", handlers.from_a_thread, 1),
            ("with_options", functools.partial(handlers.with_options, "optional"), 1),
            ("object", Callable(handlers), 1),
        ):
            if name == "object" and not hasattr(aio_pika.tools, "ensure_awaitable"):
                continue  # not before 9.1
            queue = await channel.declare_queue(f"{prefix}.{name}", exclusive=True)
            await queue.consume(handler)
            did("consume", name=name)
            await asyncio.create_task(  # a context of its own, so that the fetches below cause nothing
                send(channel, queue, name)
            )
            published += effects
            while await waiting(channel, sink) < published:  # noqa: ASYNC110 - the broker is who knows
                await asyncio.sleep(0.01)
        await asyncio.gather(*handlers.background)
    tell()


async def waiting(channel: Any, queue: AbstractQueue) -> int:
    """How many messages a queue holds."""
    seen = await channel.declare_queue(queue.name, passive=True, robust=False)
    return int(seen.declaration_result.message_count)


async def send(channel: Any, queue: AbstractQueue, name: str) -> None:
    await channel.default_exchange.publish(aio_pika.Message(name.encode()), queue.name)


asyncio.run(main(sys.argv[1], sys.argv[2]))
