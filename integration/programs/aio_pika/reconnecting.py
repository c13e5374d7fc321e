"""A robust connection that is cut twice while it consumes. Arguments: url, prefix of every name."""

import asyncio
import sys

import aio_pika
from account import did, received, tell
from aio_pika.abc import AbstractIncomingMessage
from cut import Relay


async def main(url: str, prefix: str) -> None:
    relay = Relay(url)
    await relay.start()
    connection = await aio_pika.connect_robust(relay.url, reconnect_interval=0.05)
    again = asyncio.Event()
    connection.reconnect_callbacks.add(lambda *_: again.set())
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1)
        exchange = await channel.declare_exchange(f"{prefix}.exchange", "topic", durable=True)
        queue = await channel.declare_queue(f"{prefix}.queue", durable=True)
        await queue.bind(exchange, "#")
        settled = {body: asyncio.Event() for body in (b"before", b"after the first cut", b"after the second cut")}
        got_first = asyncio.Event()

        async def on_message(message: AbstractIncomingMessage) -> None:
            received(queue, message)
            if not got_first.is_set():
                got_first.set()  # and is not acknowledged: it comes again
                return
            await message.ack()
            did("ack", tag=message.delivery_tag)
            settled[message.body].set()

        await queue.consume(on_message)
        await exchange.publish(aio_pika.Message(b"before"), "a")
        await got_first.wait()
        for name in ("first", "second"):
            again.clear()
            relay.cut()
            await again.wait()
            await exchange.publish(aio_pika.Message(f"after the {name} cut".encode()), "b")
            await settled[f"after the {name} cut".encode()].wait()
        await settled[b"before"].wait()
        await queue.delete(if_unused=False, if_empty=False)
        await exchange.delete()
    relay.stop()
    tell()


asyncio.run(main(sys.argv[1], sys.argv[2]))
