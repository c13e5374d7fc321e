"""Sends what it finds in a file, everywhere that a message has room for it. Arguments: file, AMQP url, Redis url, prefix.

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
from pyee import EventEmitter

path, amqp_url, redis_url, prefix = sys.argv[1:5]
plants: dict[str, str] = json.loads(Path(path).read_text())


def plant(place: str) -> str:
    return plants[place]


async def over_amqp() -> None:
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(f"{prefix}.x", aio_pika.ExchangeType.TOPIC, auto_delete=True)
        queue = await channel.declare_queue(f"{prefix}.q", auto_delete=True, arguments={"x-note": plant("argument")})
        await queue.bind(exchange, "#")
        done = asyncio.Event()

        async def handle(message: AbstractIncomingMessage) -> None:
            async with message.process():
                if message.routing_key == "last":
                    done.set()
                else:
                    raise ValueError(f"can't handle {plant('exception')} at https://user:{plant('url')}@host.example/x")

        await queue.consume(handle)
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
            )
            await exchange.publish(message, plant("routing key"))
        await exchange.publish(aio_pika.Message(b"{}"), "last")
        await asyncio.wait_for(done.wait(), 30)


def over_redis() -> None:
    client = redis.Redis.from_url(redis_url)
    subscription = client.pubsub()
    subscription.subscribe(plant("channel"))
    client.publish(plant("channel"), plant("published"))
    while subscription.get_message(timeout=1) is not None:
        pass
    client.xadd(f"{prefix}:stream", {"field": plant("stream field"), "password": plant("name:stream")})
    client.lpush(f"{prefix}:list", plant("element of a list"))
    client.rpop(f"{prefix}:list")
    client.delete(f"{prefix}:stream", f"{prefix}:list")


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
in_process()
