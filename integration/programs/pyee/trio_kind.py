"""The trio emitter: coroutine listeners, one that fails."""

from importlib import import_module

from account import Account
from pyee.trio import TrioEventEmitter

trio = import_module("trio")  # typed only where it is installed
account = Account()


async def main() -> None:
    async with TrioEventEmitter() as emitter:

        @emitter.on("order")
        async def slow(number: int) -> None:
            await trio.sleep(0.01)
            account.ran("slow", number)
            account.emit(emitter, "shipped", number)

        @emitter.on("shipped")
        async def shipped(number: int) -> None:
            account.ran("shipped", number)

        @emitter.on("fails")
        async def failing() -> None:
            raise LookupError("failed later")

        @emitter.on("error")
        async def on_error(error: Exception) -> None:
            account.ran("on_error", str(error))

        account.emit(emitter, "order", 1)
        await trio.sleep(0.05)
        account.emit(emitter, "fails")
        await trio.sleep(0.01)
    account.tell()


trio.run(main)
