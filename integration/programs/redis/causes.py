"""Takes messages in every way that a program has, and sends one "re:..." for each of them; says nothing but that."""

import asyncio
import contextlib
from typing import Any

from account import ASYNCIO, b64, client, close, did, got, named, raw, tell

JOBS, STREAM, CHANNEL, ANSWERS = named("jobs"), named("stream"), named("channel"), named("answers")


async def answer(db: Any, body: Any) -> None:
    text = "re:" + raw(body).decode()
    await got(db.rpush(ANSWERS, text))
    did("send", channel=ANSWERS, channel_kind="list", body=b64(text), command="RPUSH")


async def lists(db: Any) -> None:
    for number in range(3):
        await got(db.rpush(JOBS, f"job {number}"))
    await answer(db, (await got(db.blpop(JOBS, timeout=1)))[1])
    if ASYNCIO:
        # Before Python 3.12 the fetch runs in a task of its own, in a copy of this context.
        await answer(db, (await asyncio.wait_for(db.blpop(JOBS, timeout=1), 5))[1])
        await answer(db, await asyncio.create_task(db.lpop(JOBS)))
    else:
        await answer(db, (await got(db.blpop(JOBS, timeout=1)))[1])
        await answer(db, await got(db.lpop(JOBS)))
    assert await got(db.lpop(JOBS)) is None
    await got(db.rpush(ANSWERS, "after nothing"))


async def streams(db: Any) -> None:
    await got(db.xgroup_create(STREAM, "g", id="0", mkstream=True))
    for number in range(3):
        await got(db.xadd(STREAM, {"n": number}))
    reply = await got(db.xreadgroup("g", "me", {STREAM: ">"}, count=1))
    ((_, ((identity, fields),)),) = reply.items() if isinstance(reply, dict) else reply
    await answer(db, next(iter(fields.values())))
    await got(db.xack(STREAM, "g", identity))
    await answer(db, b"0, acknowledged")
    await got(db.xreadgroup("g", "me", {STREAM: ">"}, count=2))
    await answer(db, b"a batch")


async def subscriptions(db: Any) -> None:
    def handled(message: dict[str, Any]) -> None:
        db.rpush(ANSWERS, "re:" + raw(message["data"]).decode())
        did("send", channel=ANSWERS, channel_kind="list", body=b64("re:handled"), command="RPUSH")

    async def handled_later(message: dict[str, Any]) -> None:
        await answer(db, message["data"])

    pubsub = db.pubsub(ignore_subscribe_messages=True)
    await got(pubsub.subscribe(CHANNEL, **{named("handled"): handled_later if ASYNCIO else handled}))
    for _ in range(2):
        await got(pubsub.get_message(timeout=5))
    await got(db.publish(CHANNEL, "polled"))
    await answer(db, (await got(pubsub.get_message(timeout=5)))["data"])
    await got(db.publish(CHANNEL, "waited for"))
    if ASYNCIO:
        await answer(db, (await asyncio.wait_for(pubsub.get_message(timeout=5), 5))["data"])
    else:
        await answer(db, (await got(pubsub.get_message(timeout=5)))["data"])
    await got(db.publish(CHANNEL, "listened to"))
    if ASYNCIO:
        async with contextlib.aclosing(pubsub.listen()) as messages:
            async for message in messages:
                await answer(db, message["data"])
                break
    else:
        for message in pubsub.listen():
            await answer(db, message["data"])
            break
    await got(db.publish(named("handled"), "handled"))
    await got(pubsub.get_message(timeout=5))
    await close(pubsub)


async def pipelines(db: Any) -> None:
    await got(db.rpush(JOBS, "first", "second"))
    first = await got(db.lpop(JOBS))
    pipe = db.pipeline()
    pipe.rpush(ANSWERS, "re:" + raw(first).decode())
    pipe.lpop(JOBS)
    replies = await got(pipe.execute())
    did("send", channel=ANSWERS, channel_kind="list", body=b64("re:first"), command="RPUSH")
    await answer(db, replies[1])
    await got(db.rpush(JOBS, "moved"))
    await answer(db, await got(db.lmove(JOBS, named("busy"))))


async def main() -> None:
    db = client()
    for part in (lists, streams, subscriptions, pipelines):
        await part(db)
    await got(db.delete(JOBS, STREAM, ANSWERS, named("busy")))
    await close(db)
    tell()


asyncio.run(main())
