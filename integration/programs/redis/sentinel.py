"""A master that Sentinel names, before and after it is another one, and a replica. The url is Sentinel's."""

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

import redis
import redis.asyncio.sentinel
import redis.sentinel
from account import ASYNCIO, OPTIONS, URL, b64, close, did, got, name_of, named, pairs, tell

SERVICE, QUEUE, STREAM = "orders-db", named("queue"), named("stream")


async def push(db: Any, element: str) -> None:
    length = await got(db.lpush(QUEUE, element))
    did("send", channel=QUEUE, channel_kind="list", body=b64(element), command="LPUSH", length=length)


async def main() -> None:
    address = (urlsplit(URL).hostname, urlsplit(URL).port)
    kind = redis.asyncio.sentinel.Sentinel if ASYNCIO else redis.sentinel.Sentinel
    sentinel: Any = kind([address], socket_timeout=5, **OPTIONS)
    db = sentinel.master_for(SERVICE)
    await push(db, "first")
    await push(db, "second")
    identity = await got(db.xadd(STREAM, {"a": "b"}))
    did("send", channel=STREAM, channel_kind="stream", entry=pairs({"a": "b"}), id=name_of(identity))
    assert await got(db.wait(1, 5000)) == 1
    replica = sentinel.slave_for(SERVICE)
    assert await got(replica.xread({STREAM: "0"}))
    did("receive", channel=STREAM, channel_kind="stream", entry=pairs({"a": "b"}), id=name_of(identity))

    before = await got(sentinel.discover_master(SERVICE))
    with redis.Redis(host=address[0], port=address[1]) as command:
        command.execute_command("SENTINEL FAILOVER", SERVICE)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if await got(sentinel.discover_master(SERVICE)) != before:
            break
        await asyncio.sleep(0.05)
    await got(db.connection_pool.disconnect())
    while time.monotonic() < end:
        try:
            await got(db.ping())
            await got(db.set(named("writable"), 1))
            break
        except redis.RedisError:
            await asyncio.sleep(0.05)
    await push(db, "third")
    await close(db, replica)
    tell()


asyncio.run(main())
