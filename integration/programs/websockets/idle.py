"""Connections on which the library alone speaks: keepalive pings, several of them, with asyncio and with threads."""

import asyncio
import json
import threading
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.sync.client import connect as connect_in_thread

pongs: list[int] = []


async def waiting(websocket: Any) -> None:
    await websocket.wait_closed()


def in_a_thread(port: int) -> None:
    with connect_in_thread(f"ws://localhost:{port}/idle", close_timeout=5) as websocket:
        try:
            websocket.recv(timeout=0.2)
        except TimeoutError:
            pongs.append(0)


async def main() -> None:
    async with serve(waiting, "localhost", 0, ping_interval=0.02) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://localhost:{port}/idle", ping_interval=0.02) as websocket:
            await asyncio.sleep(0.2)
            assert websocket.latency >= 0
        thread = threading.Thread(target=in_a_thread, args=(port,))
        thread.start()
        await asyncio.to_thread(thread.join)
    print(json.dumps({"timed out": pongs}))


asyncio.run(main())
