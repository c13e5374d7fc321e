"""A client that sends an order every few milliseconds for some seconds, and reads the answers."""

import asyncio
import json
import sys
import time

from pyee import EventEmitter
from websockets.asyncio.client import connect

EMITTER = EventEmitter()


async def main() -> None:
    host, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    sent = answered = 0
    over, all_answered = False, asyncio.Event()
    until = time.monotonic() + seconds
    async with connect(f"ws://{host}:{port}", ping_interval=None) as connection:

        async def read() -> None:
            nonlocal answered
            async for _ in connection:
                answered += 1
                if over and answered == sent:
                    all_answered.set()

        reading = asyncio.create_task(read())
        while time.monotonic() < until:
            EMITTER.emit("order.placed", {"n": sent})
            await connection.send(json.dumps({"type": "order.placed", "n": sent, "password": "hunter2hunter2"}))
            sent += 1
            await asyncio.sleep(0.005)
        over = True
        if answered == sent:
            all_answered.set()
        await all_answered.wait()
        await connection.send(json.dumps({"last": True}))
        await reading
    print(json.dumps({"sent": sent, "answered": answered}))


asyncio.run(main())
