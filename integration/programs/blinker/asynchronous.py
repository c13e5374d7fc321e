"""`send_async` and `send` with coroutine functions and plain ones among the receivers, with the wrappers they need."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from account import Account
from blinker import signal

account = Account()
ready, mixed, failing, slow = (signal(name) for name in ("ready", "mixed", "failing", "slow"))


@ready.connect
async def on_ready(sender: Any, **kwargs: Any) -> str:
    await asyncio.sleep(0)
    account.ran("on_ready", kwargs)
    await account.send_async(mixed, "on_ready", number=kwargs["number"], _sync_wrapper=awaited)
    return "done"


@mixed.connect
def plainly(sender: Any, **kwargs: Any) -> None:
    account.ran("plainly", kwargs)


@failing.connect
async def fails(sender: Any, **kwargs: Any) -> None:
    await asyncio.sleep(0)
    raise LookupError("failed later")


@slow.connect
async def waits(sender: Any, **kwargs: Any) -> None:
    await asyncio.sleep(0.01 * kwargs["number"])
    account.ran("waits", kwargs)
    await account.send_async(mixed, "waits", number=kwargs["number"], _sync_wrapper=awaited)


def awaited(receiver: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def wrapped(sender: Any, **kwargs: Any) -> Any:
        return receiver(sender, **kwargs)

    return wrapped


def blocking(receiver: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(sender: Any, **kwargs: Any) -> Any:
        return asyncio.run(receiver(sender, **kwargs))

    return wrapped


async def main() -> None:
    results = await account.send_async(ready, "main", number=1)
    account.notes["results"] = [[receiver.__name__, value] for receiver, value in results]
    for attempt in (
        account.send_async(failing, "main", number=2),
        account.send_async(mixed, "main", number=3),  # a plain receiver, and no wrapper for it
        asyncio.wait_for(account.send_async(slow, "main", number=50), 0.02),
    ):
        try:
            await attempt
        except (LookupError, RuntimeError, TimeoutError) as error:
            account.notes.setdefault("raised", []).append(type(error).__name__)
    # At the same time, and the first to begin ends last.
    await asyncio.gather(*(account.send_async(slow, "main", number=number) for number in (3, 2, 1)))


asyncio.run(main())
account.send(ready, "blocking", number=9, _async_wrapper=blocking)
try:
    account.send(ready, "blocking", number=10)
except RuntimeError:
    account.notes["refused"] = True
account.tell()
