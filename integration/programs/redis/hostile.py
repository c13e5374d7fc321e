"""Sends what only code of the program's could turn into bytes, and counts how often that code is called."""

import asyncio
import enum
from typing import Any

import redis
from account import client, close, did, got, named, tell

QUEUE, CALLS = named("queue"), []


def watched(name: str) -> Any:
    def method(self: Any, *args: Any) -> Any:
        CALLS.append(name)
        return getattr(super(type(self), self), name)(*args)

    return method


class Number(int):
    __repr__ = watched("__repr__")
    __str__ = watched("__str__")
    __hash__ = watched("__hash__")
    __eq__ = watched("__eq__")


class Text(str):
    __slots__ = ()
    __repr__ = watched("__repr__")
    __str__ = watched("__str__")
    encode = watched("encode")


class Thing:
    __repr__ = __str__ = __hash__ = __eq__ = __len__ = __bytes__ = watched("of a thing")  # type: ignore[assignment]


class Kind(str, enum.Enum):  # noqa: UP042 - a str and something else
    ORDER = "order"


async def main() -> None:
    db = client()
    for value in (Number(7), Text("text"), Kind.ORDER, Thing(), True, None):
        try:
            did("pushed", length=await got(db.rpush(QUEUE, value)))
        except (redis.RedisError, TypeError) as error:
            did("refused", error=type(error).__name__)
        did("called", calls=sorted(CALLS))
        CALLS.clear()
    await got(db.publish(Kind.ORDER, Text("text")))
    did("called", calls=sorted(CALLS))
    pops = await got(db.lpop(QUEUE, 10))
    did("popped", elements=[each.decode() for each in pops])
    for wrong in ("PUBLISH", "PUBLISH x", "XADD x", "XADD x *", "XACK", "LPOP", "XGROUP", "XREADGROUP", "XCLAIM x g c"):
        try:
            await got(db.execute_command(*wrong.split()))
        except redis.RedisError as error:
            did("refused", error=type(error).__name__)
    try:
        await got(db.execute_command())
    except IndexError as error:
        did("refused", error=type(error).__name__)
    await close(db)
    tell()


asyncio.run(main())
