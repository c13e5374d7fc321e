"""The asyncio emitter: coroutine and plain listeners, one that fails, one that is cancelled, errors."""

import asyncio

from account import Account
from pyee.asyncio import AsyncIOEventEmitter

account = Account()


async def main() -> None:
    emitter = AsyncIOEventEmitter()
    done = asyncio.Event()

    @emitter.on("order")
    async def slow(number: int) -> None:
        await asyncio.sleep(0.01)
        account.ran("slow", number)
        account.emit(emitter, "shipped", number)

    @emitter.on("order")
    def quick(number: int) -> None:
        account.ran("quick", number)

    @emitter.once("order")
    async def once(number: int) -> None:
        await asyncio.sleep(0)
        account.ran("once", number)

    @emitter.on("shipped")
    async def shipped(number: int) -> None:
        account.ran("shipped", number)
        if number == 2:
            done.set()

    @emitter.on("fails")
    async def failing() -> None:
        await asyncio.sleep(0)
        raise LookupError("failed later")

    @emitter.on("fails at once")
    def failing_at_once() -> None:
        raise LookupError("failed at once")

    @emitter.on("waits")
    async def waiting() -> None:
        await asyncio.Event().wait()

    @emitter.on("error")
    def on_error(error: Exception) -> None:
        account.ran("on_error", str(error))

    for number in (1, 2):
        account.emit(emitter, "order", number)
    await asyncio.wait_for(done.wait(), 10)
    account.emit(emitter, "fails")
    await asyncio.sleep(0.01)
    account.emit(emitter, "fails at once")
    account.emit(emitter, "waits")
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0.01)
    account.tell()


asyncio.run(main())
