"""An emitter uplifted to the asyncio kind: what is emitted on either reaches the listeners of both."""

import asyncio

from account import Account
from pyee import EventEmitter
from pyee.asyncio import AsyncIOEventEmitter
from pyee.uplift import unwrap, uplift

account = Account()


async def main() -> None:
    plain = EventEmitter()
    lifted = uplift(AsyncIOEventEmitter, plain)

    @plain.on("order")
    def below(number: int) -> None:
        account.ran("below", number)

    @lifted.on("order")
    async def above(number: int) -> None:
        account.ran("above", number)

    @plain.on("outer")
    def outer(number: int) -> None:
        account.ran("outer", number)
        account.emit(lifted, "order", number)

    account.emit(plain, "order", 1)
    account.emit(lifted, "order", 2)
    account.emit(plain, "outer", 3)
    await asyncio.sleep(0.01)
    unwrap(plain)
    account.emit(plain, "order", 4)
    account.emit(lifted, "order", 5)
    await asyncio.sleep(0.01)
    account.tell()


asyncio.run(main())
