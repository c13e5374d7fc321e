"""A worker that the first order's handler starts, and which works for others when that handler is long over."""

import asyncio
from typing import Any

from account import Account
from pyee.asyncio import AsyncIOEventEmitter

emitter = AsyncIOEventEmitter()
account = Account(emitter)
queue: "asyncio.Queue[int]" = asyncio.Queue()
done: "asyncio.Queue[int]" = asyncio.Queue()
worker: "asyncio.Task[Any] | None" = None


async def work() -> None:
    while True:
        order = await queue.get()
        await asyncio.sleep(0.001)
        # Whatever is in the queue: that the worker was started by the first order is all that can be seen.
        account.emit("worker", 0, over=True)
        done.put_nowait(order)


@emitter.on("order")
async def handle(order: int) -> None:
    global worker  # noqa: PLW0603 - as programs are written
    if worker is None:
        worker = asyncio.create_task(work())
    queue.put_nowait(order)
    account.emit("itself", order)


async def main() -> None:
    for order in range(20):
        emitter.emit("order", order)
        await done.get()
        account.emit("outside", None)
    assert worker is not None
    worker.cancel()
    account.tell()


asyncio.run(main())
