"""One process of `amqp_driver.py`. Arguments: ledgers, url, prefix, `producer` count pause_ms | `worker` fault."""

import asyncio
import contextlib
import json
import os
import signal
import sys

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from ledger import note

_, url, prefix, role, *arguments = sys.argv[1:]
ERRORS = (aio_pika.exceptions.AMQPError, RuntimeError, ConnectionError, asyncio.TimeoutError)


async def produce(count: int, pause_s: float) -> None:
    connection = await aio_pika.connect_robust(url, reconnect_interval=0.2)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(f"{prefix}.jobs", durable=True)
        for number in range(count):
            for turn in range(100):
                body = json.dumps({"number": number, "turn": turn}).encode()
                note("publish", number, turn=turn)
                try:
                    await exchange.publish(aio_pika.Message(body, delivery_mode=2), "job", timeout=30)
                    break
                except ERRORS as error:
                    note("failed", number, turn=turn, error=type(error).__name__)
                    await asyncio.sleep(0.2)
            note("sent", number)
            await asyncio.sleep(pause_s)


async def work(fault: str) -> None:
    connection = await aio_pika.connect_robust(url, reconnect_interval=0.2)
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=1)
    exchange = await channel.declare_exchange(f"{prefix}.jobs", durable=True)
    done = await channel.declare_exchange(f"{prefix}.done", durable=True)
    queue = await channel.declare_queue(f"{prefix}.work", durable=True)
    await queue.bind(exchange, "job")
    await (await channel.declare_queue(f"{prefix}.results", durable=True)).bind(done, "done")

    async def on_message(message: AbstractIncomingMessage) -> None:
        said = json.loads(message.body)
        number = said["number"]
        note("received", **said, redelivered=message.redelivered)
        if fault == "early":
            await message.ack()
        await asyncio.sleep(0.03 if fault == "slow" else 0.003)
        try:
            await done.publish(aio_pika.Message(b'{"done": %d}' % number), "done", timeout=30)
            note("effect", number)
        except ERRORS:
            return
        if fault == "killed" and number == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        if fault not in {"early", "automatic"}:
            with contextlib.suppress(*ERRORS):
                await message.ack()
                note("acked", number)

    await queue.consume(on_message, no_ack=fault == "automatic")
    note("ready", 0)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await connection.close()


asyncio.run(produce(int(arguments[0]), int(arguments[1]) / 1000) if role == "producer" else work(arguments[0]))
