"""Publishes, confirmed, and consumes numbered messages on a robust connection, through the loss of its broker.

    rabbitmq_outage.py URL QUEUE

Says `ok` or the error's name for each publish, `refused` where aio-pika itself had no channel to send it on; when standard
input ends, all as JSON: publishes, what was received, and how each acknowledgement ended.
"""

import asyncio
import json
import sys
import traceback
from typing import Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

url, queue_name = sys.argv[1:]
sent: list[str] = []
received: list[int] = []
settled: list[str] = []


async def on_message(message: AbstractIncomingMessage) -> None:
    received.append(int(message.body))
    await asyncio.sleep(0.002)
    try:
        await message.ack()
    except BaseException as error:
        settled.append(type(error).__name__)
        if isinstance(error, asyncio.CancelledError):  # the lost connection cancels its handlers
            raise
    else:
        settled.append("ok")


async def publish(exchange: Any) -> None:
    message = aio_pika.Message(b"%d" % len(sent), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    try:
        await exchange.publish(message, queue_name, timeout=2)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is to be recorded as it was
        through = {frame.name for frame in traceback.extract_tb(error.__traceback__)}
        sent.append(type(error).__name__ if "basic_publish" in through else "refused")
    else:
        sent.append("ok")
    print(sent[-1], file=sys.stderr, flush=True)


async def main() -> None:
    connection = await aio_pika.connect_robust(url, reconnect_interval=0.2)
    channel = await connection.channel()
    queue = await channel.declare_queue(queue_name, durable=True)
    await queue.consume(on_message)
    publishing = await connection.channel()
    end = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    while not end.done():
        await publish(publishing.default_exchange)
        await asyncio.sleep(0.005)
    await connection.close()


asyncio.run(main())
print(json.dumps({"sent": sent, "received": received, "settled": settled}))
