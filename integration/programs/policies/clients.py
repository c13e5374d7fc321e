"""Client libraries of three brokers, each told how to try again. Arguments: a JSON of the brokers' addresses and the settings.

Says what each library has made of them, by the library's own account.
"""

import asyncio
import json
import sys
from typing import Any

import aio_pika
import redis
from kafka import KafkaConsumer, KafkaProducer
from redis import asyncio as redis_asyncio
from redis import backoff
from redis.retry import Retry

given: dict[str, Any] = json.loads(sys.argv[1])


async def rabbitmq() -> None:
    connection = await aio_pika.connect_robust(
        given["rabbitmq"], reconnect_interval=given["interval_s"], fail_fast=True
    )
    async with connection:
        channel = await connection.channel()
        await channel.default_exchange.publish(aio_pika.Message(b"{}"), given["name"], mandatory=False)


def redis_clients() -> None:
    waiting = getattr(backoff, given["backoff"])(cap=given["cap_s"], base=given["base_s"])
    client = redis.Redis.from_url(given["redis"], retry=Retry(waiting, given["retries"]), socket_timeout=7)
    client.publish(given["name"], b"1")
    plain = redis.Redis(connection_pool=redis.ConnectionPool.from_url(given["redis"]))
    plain.publish(given["name"], b"2")


async def later() -> None:
    retry = redis_asyncio.retry.Retry(backoff.ConstantBackoff(0.25), 2)
    async with redis_asyncio.Redis.from_url(given["redis"], retry=retry, retry_on_error=[KeyError]) as client:
        await client.publish(given["name"], b"3")


def kafka() -> None:
    producer = KafkaProducer(bootstrap_servers=given["kafka"], **given["producer"])
    producer.send(given["name"], b"{}").get(30)
    consumer = KafkaConsumer(given["name"], bootstrap_servers=given["kafka"], **given["consumer"])
    assert consumer.poll(10_000)
    consumer.close()
    producer.close()


asyncio.run(rabbitmq())
redis_clients()
asyncio.run(later())
kafka()
print(json.dumps({}))
