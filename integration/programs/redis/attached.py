"""Takes the recorder in while it consumes, and out again. After the usual arguments: the spool folder.

The only program here that knows msgtrace: it does to itself what `msgtrace attach` does to another process.
"""

import asyncio
import inspect
import sys
from functools import reduce
from typing import Any

import redis.asyncio.cluster
import redis.cluster
from account import OPTIONS, client, close, did, got, name_of, named, tell

from msgtrace.hooks.redis import HOOK
from msgtrace.settings import Settings
from msgtrace.start import Tracer

SPOOL = OPTIONS.pop("spool")
CHANNEL, QUEUE = named("channel"), named("queue")


def standing() -> dict[str, Any]:
    """What stands at every point of the hook now, in the namespace of the class itself."""
    found = {}
    for point in HOOK.points:
        module, _, path = point.target.partition(":")
        *parents, name = path.split(".")
        owner = reduce(lambda each, part: getattr(each, part, None), parents, sys.modules[module])
        found[point.target] = None if owner is None else vars(owner).get(name)
    return found


def shapes(points: dict[str, Any]) -> dict[str, list[Any]]:
    """What a program can see of each function: its kind, its name, its signature."""
    return {
        target: [
            inspect.iscoroutinefunction(each),
            inspect.isasyncgenfunction(each),
            inspect.isgeneratorfunction(each),
            each.__qualname__,
            each.__doc__,
            str(inspect.signature(each)),
        ]
        for target, each in points.items()
        if each is not None
    }


async def main() -> None:
    assert redis.cluster
    assert redis.asyncio.cluster
    db = client()
    pubsub = db.pubsub(ignore_subscribe_messages=True)
    handled: list[Any] = []
    await got(pubsub.subscribe(CHANNEL, **{named("handled"): handled.append}))
    for _ in range(2):
        await got(pubsub.get_message(timeout=5))
    pipe = db.pipeline()

    async def exchange(body: str) -> None:
        await got(db.publish(CHANNEL, body))
        assert name_of((await got(pubsub.get_message(timeout=5)))["data"]) == body
        await got(db.publish(named("handled"), body))
        await got(pubsub.get_message(timeout=5))
        pipe.lpush(QUEUE, body).rpop(QUEUE)
        await got(pipe.execute())

    before = standing()
    await exchange("unseen")
    tracer = Tracer(Settings(spool=SPOOL))
    tracer.start()
    assert tracer.engine is not None
    while_there = shapes(standing())
    did(
        "placed",
        differing=[target for target, shape in shapes(before).items() if shape != while_there[target]],
        points={each.point.target: each.state for each in tracer.engine.placed if each.hook is HOOK},
    )
    await exchange("seen")
    tracer.stop()
    after = standing()
    did("restored", changed=[target for target in before if before[target] is not after[target]])
    await exchange("unseen again")
    assert len(handled) == 3
    await close(pubsub, pipe, db)
    tell()


asyncio.run(main())
