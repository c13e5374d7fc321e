"""Fetches messages one by one and keeps two in hand: passes on the newest, or the one before it, as it came.

    two_in_hand.py WAY URL PREFIX COUNT

Prints as JSON, for each message that it passed on, the number of the fetch that it came from.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

way, url, prefix, count_text = sys.argv[1:]
count = int(count_text)
SOURCE, RESULTS = f"{prefix}.in", f"{prefix}.out"
rng = random.Random(way)
bodies = [
    b"a body that is the same as %d others" % rng.randrange(3)
    if rng.random() < 0.2
    else b"the message of number %d" % n
    for n in range(count)
]
answered: list[int] = []


def choices() -> Iterator[list[int]]:
    """For each fetch, the fetches whose messages are passed on before the next: the newest, the one before, or both."""
    for number in range(count):
        wanted = rng.choice([[0], [1], [1, 0], [0, 1], []])
        yield [number - back for back in wanted if number >= back]


def with_redis() -> None:  # noqa: PLR0912 - a branch for each way
    import redis

    db: Any = redis.Redis.from_url(url)
    taken: list[bytes] = []
    subscription = db.pubsub(ignore_subscribe_messages=True)
    if way == "stream":
        db.xgroup_create(SOURCE, "g", id="0", mkstream=True)
    elif way in {"get_message", "listen"}:
        subscription.subscribe(SOURCE)
        subscription.get_message(timeout=5)
    for body in bodies:
        if way == "stream":
            db.xadd(SOURCE, {"body": body})
        elif way == "brpop":
            db.lpush(SOURCE, body)
        else:
            db.publish(SOURCE, body)
    listening = subscription.listen()
    for numbers in choices():
        if way == "stream":
            reply = db.xreadgroup("g", "me", {SOURCE: ">"}, count=1)
            ((_, ((_, fields),)),) = reply.items() if isinstance(reply, dict) else reply
            taken.append(fields[b"body"])
        elif way == "brpop":
            taken.append(db.brpop(SOURCE, timeout=5)[1])
        else:
            message = next(listening) if way == "listen" else subscription.get_message(timeout=5)
            taken.append(message["data"])
        for number in numbers:
            if way == "stream":
                db.xadd(RESULTS, {"body": taken[number]})
            else:
                db.rpush(RESULTS, taken[number])
            answered.append(number)
    db.delete(SOURCE, RESULTS)


def with_kafka() -> None:
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

    bootstrap = url.removeprefix("kafka://")
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for body in bodies:
        producer.send(SOURCE, body, partition=0)
    producer.flush()
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None)
    consumer.assign([TopicPartition(SOURCE, 0)])
    taken: list[bytes] = []
    plan = choices()

    def work(record: Any) -> bool:
        taken.append(record.value)
        for number in next(plan):
            producer.send(RESULTS, taken[number])
            answered.append(number)
        return len(taken) == count

    if way == "iterate":
        for record in consumer:
            if work(record):
                break
    else:
        while not work(next(consumer)):
            pass
    consumer.close()
    producer.close()


async def with_rabbitmq() -> None:
    import aio_pika

    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        source = await channel.declare_queue(SOURCE, auto_delete=True)
        await channel.declare_queue(RESULTS, exclusive=True)
        for body in bodies:
            await channel.default_exchange.publish(aio_pika.Message(body), SOURCE)

        async def fetched() -> AsyncGenerator[aio_pika.abc.AbstractIncomingMessage]:
            if way == "get":
                for _ in bodies:
                    yield await source.get()
            else:
                async with source.iterator() as messages:
                    async for message in messages:
                        yield message

        taken: list[bytes] = []
        plan = choices()
        async with aclosing(fetched()) as messages:
            async for message in messages:
                taken.append(message.body)
                await message.ack()
                for number in next(plan):
                    await channel.default_exchange.publish(aio_pika.Message(taken[number]), RESULTS)
                    answered.append(number)
                if len(taken) == count:
                    break


if way in {"brpop", "stream", "get_message", "listen"}:
    with_redis()
elif way in {"iterate", "next"}:
    with_kafka()
else:
    asyncio.run(with_rabbitmq())
print(json.dumps(answered))
