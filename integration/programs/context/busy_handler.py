"""A worker that the first order's handler starts, and which works for others while that handler goes on."""

import asyncio
import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from account import Account
from pyee.asyncio import AsyncIOEventEmitter

ORDERS = 20
emitter = AsyncIOEventEmitter()
account = Account(emitter)
todo: "queue.SimpleQueue[int | None]" = queue.SimpleQueue()
pool = ThreadPoolExecutor(1)
over = asyncio.Event()


def work() -> None:
    while todo.get() is not None:
        account.emit("worker", 0)  # for whichever order: that the first one started the worker is all that can be seen


async def work_in_a_task() -> None:
    while True:
        while todo.empty():  # noqa: ASYNC110 - as programs are written
            await asyncio.sleep(0.001)
        if todo.get() is None:
            return
        account.emit("worker", 0)


async def started(way: str) -> None:
    """Start the worker, and wait for it as its handler does."""
    if way == "task":
        await asyncio.create_task(work_in_a_task())
    elif way == "executor":
        await asyncio.get_running_loop().run_in_executor(pool, work)
    elif way == "to_thread":
        await asyncio.to_thread(work)
    else:
        thread = threading.Thread(target=work)
        thread.start()
        while thread.is_alive():  # noqa: ASYNC110 - as programs are written
            await asyncio.sleep(0.001)


@emitter.on("order")
async def handle(order: int) -> None:
    account.emit("itself", order)
    todo.put(order)
    if order == 0:
        await started(sys.argv[1])
        account.emit("itself, at last", order)
        over.set()


async def main() -> None:
    for order in range(ORDERS):
        emitter.emit("order", order)
        await asyncio.sleep(0.002)
    todo.put(None)
    await over.wait()
    account.tell()


asyncio.run(main())
