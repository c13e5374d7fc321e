"""A shop in two editions. Arguments: url, prefix of every name, edition (1 or 2), and within it the service.

What edition 2 does otherwise: the total is text, the currency is gone, the channel is new; nobody audits orders any more; mail
gets no orders; charging is tried five times instead of three, and what fails is dropped instead of raised.
"""

import asyncio
import json
import os
import subprocess
import sys

import aio_pika
from tenacity import RetryError, retry, stop_after_attempt, wait_fixed

ORDERS = 12
url, prefix, edition, *role = sys.argv[1:]
EXCHANGE = f"{prefix}.orders"
SUBSCRIBERS = ["billing", "mail"] if edition == "1" else ["billing"]


async def publish(exchange: aio_pika.abc.AbstractExchange, name: str, body: dict) -> None:
    await exchange.publish(aio_pika.Message(json.dumps(body).encode(), content_type="application/json", type=name), "")


async def place(exchange: aio_pika.abc.AbstractExchange, number: int) -> None:
    if edition == "1":
        order = {"schema_version": 1, "id": number, "total": 10.5 + number, "currency": "EUR"}
    else:
        order = {"schema_version": 2, "id": number, "total": str(10.5 + number), "channel": "web"}
    if edition == "1":
        await publish(exchange, "order.audited", {"id": number})
    await publish(exchange, "order.placed", order)


@retry(stop=stop_after_attempt(3 if edition == "1" else 5), wait=wait_fixed(0.01))
def charge(tried: list[int]) -> None:
    """Succeeds the second time."""
    tried.append(1)
    if len(tried) < 2:
        raise ConnectionError("the bank does not answer")


async def consume(queue: aio_pika.abc.AbstractQueue) -> None:
    placed = 0
    async with queue.iterator() as messages:
        async for message in messages:
            async with message.process():
                if message.type == "order.placed":
                    placed += 1
                    if role[0] == "billing":
                        try:
                            charge([])
                        except RetryError:
                            print("not charged")
            if placed == ORDERS:
                return


async def main() -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(EXCHANGE, "fanout")
        if role:
            await consume(await channel.declare_queue(f"{EXCHANGE}.{role[0]}"))
            return
        queues = [await channel.declare_queue(f"{EXCHANGE}.{each}") for each in SUBSCRIBERS]
        for queue in queues:
            await queue.bind(exchange)
        for number in range(ORDERS):
            await place(exchange, number)
        for each in SUBSCRIBERS:
            command = [sys.executable, __file__, url, prefix, edition, each]
            await asyncio.to_thread(subprocess.run, command, check=True, env={**os.environ, "MSGTRACE_SERVICE": each})
        for queue in queues:
            await queue.delete(if_unused=False, if_empty=False)
        await exchange.delete()


asyncio.run(main())
