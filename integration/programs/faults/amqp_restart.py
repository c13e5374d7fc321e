"""A robust aio-pika program: publishes a numbered message every few milliseconds and consumes them, until told to stop.

    amqp_restart.py URL PREFIX

Says on standard error how each publish ended; when its standard input ends, publishes one more, waits until that has come,
and prints as JSON how all ended and what came.
"""

import asyncio
import contextlib
import json
import sys

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

url, prefix = sys.argv[1:]
outcomes: list[str] = []
received: list[tuple[int, bool]] = []


async def consume(connection: aio_pika.abc.AbstractRobustConnection) -> None:
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=10)
    queue = await channel.declare_queue(f"{prefix}.queue", durable=True)

    async def on_message(message: AbstractIncomingMessage) -> None:
        received.append((int(message.body), bool(message.redelivered)))
        with contextlib.suppress(aio_pika.exceptions.AMQPError, RuntimeError):  # the connection is gone: it comes again
            await message.ack()

    await queue.consume(on_message)


async def publish(exchange: aio_pika.abc.AbstractExchange) -> None:
    number = len(outcomes)
    outcomes.append("unknown")
    message = aio_pika.Message(b"%d" % number, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    try:
        await exchange.publish(message, f"{prefix}.queue", timeout=60)
        outcomes[number] = "ok"
    except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to know it
        outcomes[number] = type(error).__name__
    print(outcomes[number], file=sys.stderr, flush=True)


async def main() -> None:
    connection = await aio_pika.connect_robust(url, reconnect_interval=0.2)
    async with connection:
        await consume(connection)
        channel = await connection.channel()
        stopping = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        while not stopping.done():
            await publish(channel.default_exchange)
            await asyncio.sleep(0.005 if outcomes[-1] == "ok" else 0.05)
        while outcomes[-1] != "ok":
            await publish(channel.default_exchange)
            await asyncio.sleep(0.1)
        while (len(outcomes) - 1) not in {number for number, _ in received}:  # noqa: ASYNC110 - a handler appends
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # the last acknowledgements
    print(json.dumps({"outcomes": outcomes, "received": received}))


asyncio.run(main())
