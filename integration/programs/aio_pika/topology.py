"""Declares, binds, changes and deletes everything with every argument. Arguments: url, prefix of every name."""

import asyncio
import sys
from importlib.metadata import version

import aio_pika
from account import did, received, tell
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage


async def dead_letter(channel: AbstractChannel, prefix: str) -> None:
    """A message that expires in one queue, is dead-lettered to another and fetched there."""
    letters = await channel.declare_exchange(f"{prefix}.dlx", "fanout", auto_delete=True)
    dead = await channel.declare_queue(f"{prefix}.dead", exclusive=True)
    await dead.bind(letters)
    waiting = await channel.declare_queue(
        f"{prefix}.waiting",
        exclusive=True,
        arguments={"x-message-ttl": 10, "x-dead-letter-exchange": letters.name, "x-dead-letter-routing-key": "late"},
    )
    await channel.default_exchange.publish(aio_pika.Message(b"expires", headers={"try": 1}), waiting.name)
    async with dead.iterator() as messages:
        async for message in messages:
            received(dead, message)
            await message.ack()
            break


async def main(url: str, prefix: str) -> None:
    connection = await aio_pika.connect(f"{url}?name={prefix}.connection&heartbeat=30")
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=7)
        plain = await channel.declare_exchange(
            f"{prefix}.plain", durable=True, arguments={"alternate-exchange": "amq.fanout"}
        )
        internal = version("pamqp") != "3.2.1"  # which refuses it
        inner = await channel.declare_exchange(f"{prefix}.inner", "topic", internal=internal, auto_delete=True)
        did("inner", internal=internal)
        await inner.bind(plain, "key", arguments={"note": "exchange to exchange"})
        await inner.unbind(plain, "key", arguments={"note": "exchange to exchange"})
        queue = await channel.declare_queue(
            f"{prefix}.queue",
            durable=True,
            arguments={
                "x-message-ttl": 60_000,
                "x-expires": 600_000,
                "x-max-length": 100,
                "x-max-length-bytes": 1 << 20,
                "x-overflow": "drop-head",
                "x-max-priority": 5,
                "x-single-active-consumer": True,
            },
        )
        quorum = await channel.declare_queue(
            f"{prefix}.quorum", durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 3}
        )
        unnamed = await channel.declare_queue(exclusive=True, auto_delete=True)
        did("declare", queue=unnamed.name)
        await queue.bind(plain, "key")
        await queue.bind("amq.headers", arguments={"x-match": "any", "color": "red"})
        await queue.unbind(plain, "key")
        await channel.default_exchange.publish(aio_pika.Message(b"counted"), queue.name)
        again = await channel.declare_queue(queue.name, passive=True)
        did("declare", queue=again.name, message_count=again.declaration_result.message_count)
        await queue.purge()

        async def on_message(message: AbstractIncomingMessage) -> None:
            """Handles what never comes."""

        tag = await queue.consume(on_message, exclusive=False, arguments={"x-priority": 10})
        did("consume", queue=queue.name, consumer_tag=tag)
        await queue.cancel(tag)
        tag = await unnamed.consume(on_message, no_ack=True)
        other = await connection.channel()
        await dead_letter(channel, prefix)
        for each in (queue, quorum):
            await each.delete(if_unused=False, if_empty=False)
        await plain.delete()
        try:
            await other.declare_queue(f"{prefix}.missing", passive=True)
        except aio_pika.exceptions.ChannelNotFoundEntity as error:
            did("not found", error=type(error).__name__)
    tell()


asyncio.run(main(sys.argv[1], sys.argv[2]))
