"""Takes the recorder in while it consumes, and out again. Arguments: url, prefix of every name, spool folder.

The only program here that knows msgtrace: it does to itself what `msgtrace attach` does to another process.
"""

import asyncio
import sys
from functools import reduce
from typing import Any

import aio_pika
from account import did, tell
from aio_pika.abc import AbstractIncomingMessage

from msgtrace.hooks.aio_pika import HOOK
from msgtrace.settings import Settings
from msgtrace.start import Tracer


def standing() -> dict[str, Any]:
    """What stands at every point of the hook now, in the namespace of the class itself."""
    found = {}
    for point in HOOK.points:
        module, _, path = point.target.partition(":")
        *parents, name = path.split(".")
        owner = reduce(getattr, parents, sys.modules[module])
        found[point.target] = vars(owner).get(name)
    return found


async def main(url: str, prefix: str, spool: str) -> None:
    robust, plain = await aio_pika.connect_robust(url), await aio_pika.connect(url)
    channels = [await connection.channel() for connection in (robust, plain)]
    exchange = await channels[0].declare_exchange(f"{prefix}.exchange", "fanout", auto_delete=True)
    left = asyncio.Semaphore(0)

    async def on_message(message: AbstractIncomingMessage) -> None:
        async with message.process():
            body = b"after " + message.body
            if not message.body.startswith(b"after"):
                await channels[0].default_exchange.publish(aio_pika.Message(body), f"{prefix}.one", mandatory=False)
        left.release()

    for channel, name in zip(channels, ("one", "two"), strict=True):
        queue = await channel.declare_queue(f"{prefix}.{name}", exclusive=True)
        await queue.bind(exchange)
        await queue.consume(on_message)

    async def publish(body: bytes) -> None:
        """Two deliveries, each with a message that follows."""
        await exchange.publish(aio_pika.Message(body), "")
        for _ in range(4):
            await left.acquire()

    before = standing()
    await publish(b"unseen")
    tracer = Tracer(Settings(spool=spool))
    tracer.start()
    assert tracer.engine is not None
    did("placed", points={each.point.target: each.state for each in tracer.engine.placed if each.hook is HOOK})
    await publish(b"seen")
    tracer.stop()
    after = standing()
    did("restored", changed=[target for target in before if before[target] is not after[target]])
    await publish(b"unseen again")
    await robust.close()
    await plain.close()
    tell()


asyncio.run(main(*sys.argv[1:]))
