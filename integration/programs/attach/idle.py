"""An asyncio service that waits in the kernel until SIGUSR1 asks it to emit once."""

import asyncio
import signal

from account import standing, tell, tick


def emit() -> None:
    tick()
    print("emitted", flush=True)


async def main() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, emit)
    before = standing()
    print("ready", flush=True)
    await stop.wait()
    tell(before)


asyncio.run(main())
