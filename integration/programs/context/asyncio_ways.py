"""Ten orders at once on one loop; each handler's work goes through every way that asyncio has to run something."""

import asyncio
import contextvars
import functools
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from account import Account, order_of
from pyee.asyncio import AsyncIOEventEmitter

ORDERS = 10
emitter = AsyncIOEventEmitter()
account = Account(emitter)
pool = ThreadPoolExecutor(2)
answered: "asyncio.Queue[int]" = asyncio.Queue()


async def step(way: str, order: int) -> int:
    await asyncio.sleep(0)
    account.emit(way, order)
    return order


async def steps(order: int) -> AsyncIterator[int]:
    for _ in range(2):
        await asyncio.sleep(0)
        yield order


async def called(order: int) -> None:
    loop = asyncio.get_running_loop()
    done: list[asyncio.Future[None]] = [loop.create_future() for _ in range(4)]

    def call(way: str, future: "asyncio.Future[None]") -> None:
        account.emit(way, order)
        future.set_result(None)

    loop.call_soon(call, "call_soon", done[0])
    loop.call_later(0.001, call, "call_later", done[1])
    loop.call_at(loop.time() + 0.002, call, "call_at", done[2])
    future = asyncio.ensure_future(step("ensure_future", order))
    future.add_done_callback(lambda _: call("done_callback", done[3]))
    await asyncio.gather(*done)


async def in_threads(order: int) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(account.emit, "to_thread", order)
    await loop.run_in_executor(None, account.emit, "run_in_executor", order)
    await loop.run_in_executor(pool, functools.partial(account.emit, "run_in_executor of its own", order))
    seen = await loop.run_in_executor(pool, order_of.get)
    account.notes.setdefault("seen in an executor", []).append(seen)  # executors copy no context, with us or without

    def back() -> None:
        asyncio.run_coroutine_threadsafe(step("run_coroutine_threadsafe", order), loop).result()
        loop.call_soon_threadsafe(account.emit, "call_soon_threadsafe", order)

    await loop.run_in_executor(None, back)
    await asyncio.sleep(0.001)


@emitter.on("order")
async def handle(order: int) -> None:
    order_of.set(order)
    account.emit("itself", order)
    await asyncio.create_task(step("create_task", order))
    async with asyncio.TaskGroup() as group:
        group.create_task(step("TaskGroup", order))
        group.create_task(step("TaskGroup", order))
    await asyncio.gather(step("gather", order), step("gather", order))
    await asyncio.wait_for(step("wait_for", order), 10)
    async with asyncio.timeout(10):
        await asyncio.shield(step("shield", order))
    for each in asyncio.as_completed([step("as_completed", order)]):
        await each
    await asyncio.wait([asyncio.create_task(step("wait", order))])
    async for number in steps(order):
        account.emit("async for", number)
    contextvars.copy_context().run(account.emit, "copy_context", order)
    await asyncio.create_task(step("create_task in a context", order), context=contextvars.copy_context())
    await called(order)
    await in_threads(order)
    account.emit("itself, at last", order)
    await answered.put(order)


async def main() -> None:
    if sys.version_info >= (3, 12) and "eager" in sys.argv:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    for order in range(ORDERS):
        emitter.emit("order", order)
        account.emit("outside", None)
    for _ in range(ORDERS):
        await answered.get()
    # Threads that orders have started go on in the pools.
    await asyncio.to_thread(account.emit, "outside, in a thread", None)
    await asyncio.get_running_loop().run_in_executor(pool, account.emit, "outside, in an executor", None)
    account.notes["python"] = sys.version_info[:2]
    account.notes["seen in an executor"].sort(key=str)
    account.tell()


asyncio.run(main())
