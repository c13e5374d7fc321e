"""Consumers that wait for messages in every way there is; SIGUSR1 publishes a round of three to each.

consuming.py amqp_url redis_url kafka_address prefix
"""

import asyncio
import json
import signal
import sys
import threading
from collections import Counter

import aio_pika
import blinker
import redis
import redis.asyncio
from kafka import KafkaConsumer, KafkaProducer
from pyee.base import EventEmitter
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

bus = EventEmitter()
signal_of_blinker = blinker.signal("noted")


@bus.on("noticed")
def on_noticed() -> None:
    pass


@signal_of_blinker.connect
def on_noted(_sender: object) -> None:
    pass


amqp, redis_url, kafka, prefix = sys.argv[1:]
got: Counter[str] = Counter()
EACH = 3


def kafka_records(consumer: KafkaConsumer) -> None:
    for record in consumer:
        if record.value == b"end":
            return
        got["kafka for"] += 1


def listened(pubsub: redis.client.PubSub) -> None:
    for message in pubsub.listen():
        if message["type"] == "message":
            if message["data"] == b"end":
                return
            got["redis listen"] += 1


async def main() -> None:  # noqa: PLR0915 - one of each
    loop = asyncio.get_running_loop()
    stop, round_asked = asyncio.Event(), asyncio.Event()
    connection = await aio_pika.connect_robust(amqp)
    channel = await connection.channel()
    called = await channel.declare_queue(f"{prefix}.called", exclusive=True)
    iterated = await channel.declare_queue(f"{prefix}.iterated", exclusive=True)

    async def on_message(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        async with message.process():
            got["aio_pika consume"] += 1

    async def iterate() -> None:
        async with iterated.iterator() as messages:
            async for message in messages:
                await message.ack()
                got["aio_pika iterator"] += 1

    client = redis.asyncio.from_url(redis_url)
    pubsub = client.pubsub()
    await pubsub.subscribe(f"{prefix}.async")

    async def listen() -> None:
        async for message in pubsub.listen():
            if message["type"] == "message":
                got["redis async listen"] += 1

    async def read_stream() -> None:
        last = "$"
        while True:
            for _, entries in await client.xread({f"{prefix}.stream": last}, block=1000):
                for last, _ in entries:  # noqa: B007 - where to go on
                    got["redis xread"] += 1

    blocking = redis.from_url(redis_url)
    blocking_pubsub = blocking.pubsub()
    blocking_pubsub.subscribe(f"{prefix}.blocking")
    consumer = KafkaConsumer(f"{prefix}.topic", bootstrap_servers=kafka, auto_offset_reset="earliest", group_id=prefix)
    producer = KafkaProducer(bootstrap_servers=kafka)
    threads = [
        threading.Thread(target=kafka_records, args=[consumer]),
        threading.Thread(target=listened, args=[blocking_pubsub]),
    ]
    for thread in threads:
        thread.start()
    await called.consume(on_message)
    tasks = [asyncio.create_task(each()) for each in (iterate, listen, read_stream)]

    async def publish(body: bytes) -> None:
        for _ in range(EACH):
            await channel.default_exchange.publish(aio_pika.Message(body), called.name)
            await channel.default_exchange.publish(aio_pika.Message(body), iterated.name)
            await client.publish(f"{prefix}.async", body)
            await client.publish(f"{prefix}.blocking", body)
            await client.xadd(f"{prefix}.stream", {"body": body})
            producer.send(f"{prefix}.topic", body)
        producer.flush()

    async def keep(connection: ServerConnection) -> None:
        await connection.wait_closed()

    server = await serve(keep, "127.0.0.1", 0)
    open_one = await connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/kept")
    await pubsub.psubscribe(f"{prefix}.pattern.*")
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, round_asked.set)
    await asyncio.sleep(0.5)
    print("ready", flush=True)
    number = 0
    while not stop.is_set():
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(round_asked.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()
        if round_asked.is_set():
            round_asked.clear()
            number += 1
            await publish(b"round %d" % number)
            while sum(got.values()) < number * EACH * 6:  # noqa: ASYNC110 - threads count, too
                await asyncio.sleep(0.02)
            print("round", number, flush=True)
    producer.send(f"{prefix}.topic", b"end").get(30)
    await client.publish(f"{prefix}.blocking", "end")
    for thread in threads:
        await asyncio.to_thread(thread.join)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await open_one.close()
    server.close()
    consumer.close()
    producer.close()
    await connection.close()
    await pubsub.aclose()
    await client.aclose()
    print(json.dumps(got), flush=True)


asyncio.run(main())
