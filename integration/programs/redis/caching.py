"""Uses Redis for everything but messages: nothing of it is to be recorded."""

import asyncio

from account import client, close, did, got, named, tell

KEY, HASH, SET, SORTED = (named(name) for name in ("key", "hash", "set", "sorted"))


async def main() -> None:
    db = client()
    await got(db.set(KEY, "value", ex=60))
    did("got", value=str(await got(db.get(KEY))))
    await got(db.mset({KEY: "1", named("other"): "2"}))
    await got(db.incr(KEY))
    await got(db.hset(HASH, mapping={"a": 1, "b": 2}))
    did("got", value=str(await got(db.hgetall(HASH))))
    await got(db.sadd(SET, "a", "b"))
    await got(db.zadd(SORTED, {"a": 1, "b": 2}))
    await got(db.zpopmin(SORTED))
    await got(db.eval("return redis.call('get', KEYS[1])", 1, KEY))
    await got(db.ping())
    async with asyncio.timeout(10):
        lock = db.lock(named("lock"), timeout=5)
        assert await got(lock.acquire())
        await got(lock.release())
    pipe = db.pipeline()
    for number in range(50):
        pipe.set(KEY, number).get(KEY).expire(KEY, 60)
    did("got", replies=len(await got(pipe.execute())))
    await got(db.delete(KEY, HASH, SET, SORTED, named("other")))
    await close(db)
    tell()


asyncio.run(main())
