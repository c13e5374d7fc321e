"""A server that answers each order over WebSocket, until the client has said how many it sent."""

import asyncio
import json
import sys

from pyee import EventEmitter
from websockets.asyncio.server import ServerConnection, serve

EMITTER = EventEmitter()


async def main() -> None:
    count = 0
    over = asyncio.get_running_loop().create_future()

    async def handle(connection: ServerConnection) -> None:
        nonlocal count
        async for text in connection:
            order = json.loads(text)
            if order.get("last"):
                over.set_result(None)
                return
            EMITTER.emit("order.accepted", {"n": order["n"]})
            await connection.send(json.dumps({"type": "order.accepted", "n": order["n"]}))
            count += 1

    async with serve(handle, sys.argv[1], int(sys.argv[2]), ping_interval=None):
        await over
    print(json.dumps({"answered": count}))


asyncio.run(main())
