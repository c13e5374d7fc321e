"""aiormq without aio_pika: callbacks of several kinds, one function for two queues. Arguments: url, prefix of names."""

import asyncio
import sys
from typing import Any

import aiormq
import aiormq.abc
from account import did, tell


async def main(url: str, prefix: str) -> None:
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    left = asyncio.Semaphore(0)

    def account(message: aiormq.abc.DeliveredMessage) -> None:
        did("receive", body=message.body, tag=message.delivery_tag, message_id=message.header.properties.message_id)
        left.release()

    async def by_coroutine(message: aiormq.abc.DeliveredMessage) -> None:
        account(message)
        await message.channel.basic_ack(message.delivery_tag or 0)
        await message.channel.basic_publish(b"after " + message.body, routing_key=f"{prefix}.sink")

    by_function: Any = account  # aiormq takes plain functions too, whatever its annotations say

    queues = [f"{prefix}.{name}" for name in ("one", "two", "three", "sink")]
    for queue in queues:
        await channel.queue_declare(queue, exclusive=True)
    for queue in queues:
        await channel.basic_publish(
            queue.encode(), routing_key=queue, properties=aiormq.spec.Basic.Properties(priority=2)
        )
    await channel.basic_consume(queues[0], by_coroutine)
    await channel.basic_consume(queues[1], by_coroutine)
    await channel.basic_consume(queues[2], by_function, no_ack=True)
    for _ in range(3):
        await left.acquire()
    await channel.queue_declare(f"{prefix}.sink", passive=True, exclusive=True)
    await connection.close()
    tell()


asyncio.run(main(sys.argv[1], sys.argv[2]))
