"""Sends what it finds in a file, everywhere that a message has room for it. Arguments: file, AMQP url, Redis url, Kafka's address, prefix.

The file is JSON: place -> value. A place that starts with `name:` stands under a telling name, others by themselves.
"""

import asyncio
import contextlib
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import aio_pika
import msgspec
import redis
from aio_pika.abc import AbstractIncomingMessage
from kafka import KafkaConsumer, KafkaProducer
from pyee import EventEmitter

path, amqp_url, redis_url, kafka_address, prefix = sys.argv[1:6]
plants: dict[str, str] = json.loads(Path(path).read_text())


def plant(place: str) -> str:
    return plants[place]


async def over_amqp() -> None:
    properties: dict[str, Any] = {"connection_name": plant("connection name")}
    connection = await aio_pika.connect_robust(amqp_url, client_properties=properties)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(f"{prefix}.x", aio_pika.ExchangeType.TOPIC, auto_delete=True)
        queue = await channel.declare_queue(f"{prefix}.q", auto_delete=True, arguments={"x-note": plant("argument")})
        await queue.bind(exchange, "#")
        await queue.bind(exchange, f"never.{plant('binding key')}")
        other = await channel.declare_exchange(plant("exchange"), auto_delete=True)
        kept = await channel.declare_queue(plant("queue"), auto_delete=True)
        await kept.bind(other, "k")
        await other.publish(aio_pika.Message(b"{}"), "k")
        done = asyncio.Event()

        async def handle(message: AbstractIncomingMessage) -> None:
            async with message.process():
                if message.routing_key == "last":
                    done.set()
                else:
                    raise ValueError(f"can't handle {plant('exception')} at https://user:{plant('url')}@host.example/x")

        await queue.consume(handle, consumer_tag=plant("consumer tag"))
        body = json.dumps({
            "payload": {"field": plant("field"), "list": [plant("element")], plant("json key"): 1},
            "password": plant("name:password"),
            "text": json.dumps({"token": plant("name:nested")}),
        })  # fmt: skip
        for data, headers in (
            (body.encode(), {"x-plain": plant("header"), "authorization": plant("name:header")}),
            (msgspec.msgpack.encode({"field": plant("msgpack"), "secret": plant("name:msgpack")}), {}),
            (pickle.dumps({"field": plant("pickle")}), {}),
            (f"a line with {plant('plain text')} in it".encode(), {}),
        ):
            message = aio_pika.Message(
                data,
                headers=dict[str, Any](headers),
                message_id=plant("message id"),
                correlation_id=plant("correlation id"),
                reply_to=plant("reply to"),
                app_id=plant("app id"),
                type=plant("type"),
            )
            await exchange.publish(message, plant("routing key"))
        await exchange.publish(aio_pika.Message(b"{}"), "last")
        await asyncio.wait_for(done.wait(), 30)
        await kept.delete(if_empty=False)


def over_redis() -> None:
    admin = redis.Redis.from_url(redis_url)
    admin.acl_setuser(f"{prefix}-user", enabled=True, passwords=[f"+{plant('name:password of a client')}"], keys="*",
                      channels="*", commands=["+@all"])  # fmt: skip
    client = redis.Redis.from_url(redis_url, username=f"{prefix}-user", password=plant("name:password of a client"),
                                  client_name=plant("client name"))  # fmt: skip
    subscription = client.pubsub()
    subscription.subscribe(plant("channel"))
    client.publish(plant("channel"), plant("published"))
    while subscription.get_message(timeout=1) is not None:
        pass
    client.xadd(f"{prefix}:stream", {"field": plant("stream field"), "password": plant("name:stream")})
    stream = f"{prefix}:{plant('stream name')}"
    client.xgroup_create(stream, plant("stream group"), "0", mkstream=True)
    client.xadd(stream, {plant("stream field name"): "x"})
    read = client.xreadgroup(plant("stream group"), plant("stream consumer"), {stream: ">"})
    assert read
    client.xack(stream, plant("stream group"), read[0][1][0][0])
    client.lpush(plant("list name"), "x")
    client.rpop(plant("list name"))
    client.lpush(f"{prefix}:list", plant("element of a list"))
    client.rpop(f"{prefix}:list")
    client.delete(f"{prefix}:stream", f"{prefix}:list", stream)
    admin.acl_deluser(f"{prefix}-user")


def over_kafka() -> None:
    topic = f"{prefix}-topic"
    producer = KafkaProducer(bootstrap_servers=kafka_address, client_id=plant("kafka client id"))
    headers = [(plant("kafka header name"), b"x"), ("x-plain", plant("kafka header").encode())]
    for value in (json.dumps({"field": plant("kafka value"), "secret": plant("name:kafka")}).encode(), b"plain"):
        producer.send(topic, value, key=plant("kafka key").encode(), headers=headers).get(30)
    producer.send(
        topic, b"{}", key=json.dumps({"token": plant("name:kafka key"), "of": plant("field of a key")}).encode()
    ).get(30)
    producer.close()
    consumer = KafkaConsumer(
        topic, bootstrap_servers=kafka_address, group_id=plant("kafka group"), client_id=plant("kafka client id"),
        auto_offset_reset="earliest",
    )  # fmt: skip
    seen = 0
    while seen < 3:
        seen += sum(map(len, consumer.poll(10_000).values()))
    consumer.commit()
    consumer.close()


def in_process() -> None:
    emitter = EventEmitter()

    def handler(argument: object) -> None:
        raise LookupError(f"no {plant('exception of a handler')}")

    handler.__doc__ = f"Tells {plant('docstring')}."
    emitter.on("event", handler)
    # As a program would have it whose files or functions have such names.
    name = plants["function name"] if plants["function name"].isidentifier() else "named"
    code = compile(f"def {name}(argument): pass", f"/srv/{plant('path')}/handlers.py", "exec")
    made: dict[str, Any] = {}
    exec(code, made)
    emitter.on("event", made[name])
    with contextlib.suppress(LookupError):
        emitter.emit("event", {"argument": plant("handler argument"), "api_key": plant("name:handler")})


asyncio.run(over_amqp())
over_redis()
over_kafka()
in_process()
