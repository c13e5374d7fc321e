"""An asyncio service that is never idle."""

import asyncio
import signal

from account import standing, tell, tick


async def work(stop: asyncio.Event) -> None:
    while not stop.is_set():
        tick()
        await asyncio.sleep(0.001)


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    before = standing()
    print("ready", flush=True)
    await asyncio.gather(*(work(stop) for _ in range(3)))
    tell(before)


asyncio.run(main())
