"""Pipelines: with and without transactions, watched, aborted, with failing commands, with nothing that is a message."""

import asyncio
from typing import Any

import redis
from account import b64, client, close, did, got, named, pairs, tell

QUEUE, STREAM, TEXT, CHANNEL = named("queue"), named("stream"), named("text"), named("channel")
WRONG = "redis.exceptions.ResponseError"
WATCH = "redis.exceptions.WatchError"


def push(element: str, **more: Any) -> None:
    did("send", channel=QUEUE, channel_kind="list", body=b64(element), command="LPUSH", **more)


def refused(**more: Any) -> None:
    did("send", channel=TEXT, channel_kind="stream", entry=pairs({"a": 1}), outcome="raised", error=WRONG, **more)


def publish(**more: Any) -> None:
    did("send", channel=CHANNEL, channel_kind="pubsub", body=b64("news"), **more)


async def whole(db: Any, transaction: bool) -> None:
    pipe = db.pipeline(transaction=transaction)
    pipe.set(TEXT, "text").get(TEXT)
    pipe.lpush(QUEUE, "a", "b")
    pipe.publish(CHANNEL, "news")
    pipe.xadd(STREAM, {"n": 1})
    pipe.execute_command("xgroup", "create", STREAM, "g", "0")
    pipe.xreadgroup("g", "me", {STREAM: ">"})
    pipe.rpop(QUEUE)
    pipe.lmove(QUEUE, QUEUE)
    pipe.lpop(QUEUE, 5)
    pipe.lpop(QUEUE)
    replies = await got(pipe.execute())
    identity = replies[4].decode() if isinstance(replies[4], bytes) else replies[4]
    push("a", length=2)
    push("b", length=2)
    publish(receivers=0)
    did("send", channel=STREAM, channel_kind="stream", entry=pairs({"n": 1}), id=identity)
    settings = {"command": "XGROUP CREATE", "from": "0"}
    did("declare", channel=STREAM, channel_kind="stream", group="g", **settings)
    mine = {"group": "g", "member": "me"}
    did("receive", channel=STREAM, channel_kind="stream", entry=pairs({"n": 1}), id=identity, **mine)
    did("receive", channel=QUEUE, channel_kind="list", body=b64("a"), command="RPOP")
    did("receive", channel=QUEUE, channel_kind="list", body=b64("b"), command="LMOVE")
    did("send", channel=QUEUE, channel_kind="list", body=b64("b"), command="LMOVE")
    did("receive", channel=QUEUE, channel_kind="list", body=b64("b"), command="LPOP")
    pipe = db.pipeline(transaction=transaction)
    pipe.xack(STREAM, "g", identity)
    pipe.delete(QUEUE, STREAM, TEXT)
    await got(pipe.execute())
    did("settle", channel=STREAM, channel_kind="stream", group="g", id=identity, outcome="ack")


async def one_fails(db: Any, transaction: bool, raises: bool) -> None:
    await got(db.set(TEXT, "text"))
    pipe = db.pipeline(transaction=transaction)
    pipe.lpush(QUEUE, "before")
    pipe.xadd(TEXT, {"a": 1})
    pipe.lpush(QUEUE, "after")
    pipe.rpop(QUEUE)
    try:
        replies = await got(pipe.execute(raise_on_error=raises))
        assert isinstance(replies[1], redis.ResponseError)
        assert not raises
    except redis.ResponseError:
        assert raises
    push("before", length=1)
    refused()
    push("after", length=2)
    did("receive", channel=QUEUE, channel_kind="list", body=b64("before"), command="RPOP")
    await got(db.delete(QUEUE))


async def aborted(db: Any) -> None:
    pipe = db.pipeline()
    pipe.lpush(QUEUE, "never")
    pipe.execute_command("LPUSH", QUEUE)
    try:
        await got(pipe.execute())
    except redis.ResponseError as error:
        did("caught", error=type(error).__name__)
    push("never", outcome="raised", error=WRONG)


async def watched(db: Any) -> None:
    pipe = db.pipeline()
    await got(pipe.watch(QUEUE))
    length = await got(pipe.lpush(QUEUE, "at once"))
    push("at once", length=length)
    pipe.multi()
    pipe.lpush(QUEUE, "too late")
    pipe.publish(CHANNEL, "news")
    try:
        await got(pipe.execute())
    except redis.WatchError as error:
        did("caught", error=type(error).__name__)
    push("too late", outcome="raised", error=WATCH)
    publish(outcome="raised", error=WATCH)
    await close(pipe)
    await got(db.delete(QUEUE))


async def main() -> None:
    db = client()
    for transaction in (True, False):
        await whole(db, transaction)
        for raises in (True, False):
            await one_fails(db, transaction, raises)
    await aborted(db)
    await watched(db)

    def change(pipe: Any) -> Any:
        pipe.multi()
        pipe.lpush(QUEUE, "in a function")

    await got(db.transaction(change, named("unchanged")))
    push("in a function", length=1)
    cache = db.pipeline()
    for number in range(100):
        cache.set(TEXT, number).get(TEXT).expire(TEXT, 10)
    assert len(await got(cache.execute())) == 300
    assert await got(db.pipeline().execute()) == []
    await got(db.delete(QUEUE, TEXT))
    await close(db)
    tell()


asyncio.run(main())
