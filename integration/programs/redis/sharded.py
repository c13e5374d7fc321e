"""Publishes on shard channels and receives from them, by polling and by handler."""

import asyncio
from typing import Any

from account import ASYNCIO, b64, client, close, did, got, name_of, named, tell


def handled(message: dict[str, Any]) -> None:
    name = name_of(message["channel"])
    did("receive", channel=name, channel_kind="pubsub", body=b64(message["data"]), sharded=True)
    did("process", channel=name, handler="handled", outcome="ok")


async def main() -> None:
    publisher, subscriber = client(), client()
    pubsub = subscriber.pubsub(ignore_subscribe_messages=True)
    poll = pubsub.get_message if ASYNCIO else pubsub.get_sharded_message
    await got(pubsub.ssubscribe(named("shard"), **{named("handled"): handled}))
    for count, (name, handler) in enumerate(((named("shard"), None), (named("handled"), "handled")), 1):
        await got(poll(timeout=5))
        did(
            "subscribe",
            channel=name,
            channel_kind="pubsub",
            command="SSUBSCRIBE",
            confirmed=True,
            subscriptions=count,
            handler=handler,
        )
    for name in (named("shard"), named("handled")):
        receivers = await got(publisher.spublish(name, "to a shard"))
        did("send", channel=name, channel_kind="pubsub", body=b64("to a shard"), sharded=True, receivers=receivers)
        message = await got(poll(timeout=5))
        if message is not None:
            data = b64(message["data"])
            did("receive", channel=name_of(message["channel"]), channel_kind="pubsub", body=data, sharded=True)
    await got(pubsub.sunsubscribe(named("shard")))
    await got(poll(timeout=5))
    did(
        "subscribe",
        channel=named("shard"),
        channel_kind="pubsub",
        command="SUNSUBSCRIBE",
        confirmed=True,
        subscriptions=1,
    )
    await close(pubsub, publisher, subscriber)
    tell()


asyncio.run(main())
