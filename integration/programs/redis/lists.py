"""Lists as queues: everything that pushes, pops and moves."""

import asyncio
from typing import Any

import redis
from account import b64, client, close, did, got, name_of, named, tell

QUEUE, OTHER = named("queue"), named("other")


def pushed(command: str, *elements: Any, length: int, queue: str = QUEUE, outcome: str = "ok") -> None:
    for each in elements:
        did("send", channel=queue, channel_kind="list", body=b64(each), command=command, length=length, outcome=outcome)


def popped(command: str, *elements: Any, queue: Any = QUEUE) -> None:
    batch = True if len(elements) > 1 else None
    for each in elements:
        did("receive", channel=name_of(queue), channel_kind="list", body=b64(each), command=command, batch=batch)


def moved(command: str, element: Any) -> None:
    popped(command, element)
    did("send", channel=OTHER, channel_kind="list", body=b64(element), command=command)


async def main() -> None:
    db = client()
    pushed("LPUSHX", "nowhere", length=await got(db.lpushx(QUEUE, "nowhere")), outcome="returned")
    pushed("LPUSH", "one", length=await got(db.lpush(QUEUE, "one")))
    pushed("RPUSH", b"two \xf0", 3, 4.5, length=await got(db.rpush(QUEUE, b"two \xf0", 3, 4.5)))
    pushed("LPUSHX", "zero", length=await got(db.lpushx(QUEUE, "zero")))
    pushed("RPUSHX", "last", length=await got(db.rpushx(QUEUE, "last")))
    assert len(await got(db.lrange(QUEUE, 0, -1))) == 6
    assert await got(db.lindex(QUEUE, 0))

    popped("LPOP", await got(db.lpop(QUEUE)))
    popped("RPOP", await got(db.rpop(QUEUE)))
    popped("LPOP", *await got(db.lpop(QUEUE, 2)))
    key, element = await got(db.blpop([OTHER, QUEUE], timeout=1))
    popped("BLPOP", element, queue=key)
    key, element = await got(db.brpop(QUEUE, timeout=1))
    popped("BRPOP", element, queue=key)
    assert await got(db.lpop(QUEUE)) is None
    assert await got(db.rpop(QUEUE, 3)) is None
    assert await got(db.brpop(QUEUE, timeout=0.01)) is None
    assert await got(db.blmove(QUEUE, OTHER, 0.01)) is None
    assert await got(db.rpoplpush(QUEUE, OTHER)) is None

    pushed("RPUSH", *"abcdefg", length=await got(db.rpush(QUEUE, *"abcdefg")))
    key, elements = await got(db.lmpop(2, OTHER, QUEUE, direction="LEFT", count=2))
    popped("LMPOP", *elements, queue=key)
    key, elements = await got(db.blmpop(1, 1, QUEUE, direction="RIGHT", count=1))
    popped("BLMPOP", *elements, queue=key)
    moved("LMOVE", await got(db.lmove(QUEUE, OTHER)))
    moved("BLMOVE", await got(db.blmove(QUEUE, OTHER, 1, "RIGHT", "LEFT")))
    moved("RPOPLPUSH", await got(db.rpoplpush(QUEUE, OTHER)))
    moved("BRPOPLPUSH", await got(db.brpoplpush(QUEUE, OTHER, timeout=1)))

    try:
        await got(db.lpush(QUEUE, {"no": "message"}))
    except redis.RedisError as error:
        did(
            "send",
            channel=QUEUE,
            channel_kind="list",
            command="LPUSH",
            outcome="raised",
            error=type(error).__module__ + "." + type(error).__qualname__,
        )
    await got(db.set(OTHER, "a string now"))
    for command, push in (("LPUSH", db.lpush), ("RPUSH", db.rpush)):
        try:
            await got(push(OTHER, "refused"))
        except redis.RedisError as error:
            wrong = type(error).__module__ + "." + type(error).__qualname__
            did(
                "send",
                channel=OTHER,
                channel_kind="list",
                body=b64("refused"),
                command=command,
                outcome="raised",
                error=wrong,
            )
    for spelling in ("lpush", "Lpush", b"LPUSH"):
        length = await got(db.execute_command(spelling, QUEUE, "by hand"))
        pushed("LPUSH", "by hand", length=length)
    await got(db.delete(QUEUE, OTHER))
    await close(db)
    tell()


asyncio.run(main())
