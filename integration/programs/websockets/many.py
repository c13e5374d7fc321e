"""Twelve clients in threads of their own and a server that broadcasts to all of them: prints each client's account."""

import asyncio
import json
import threading
from typing import Any

from websockets.asyncio.server import broadcast, serve
from websockets.sync.client import connect

CLIENTS, MESSAGES = 12, 20
accounts: dict[str, dict[str, list[str]]] = {}


def talking(port: int, number: int) -> None:
    name = f"client-{number}"
    account = accounts[name] = {"sent": [], "received": []}
    with connect(f"ws://localhost:{port}/many/{name}") as websocket:
        account["received"].append(str(websocket.recv()))  # all are there
        for turn in range(MESSAGES):
            message = f"{name} says {turn}"
            account["sent"].append(message)
            websocket.send(message)
        while len(account["received"]) < 1 + CLIENTS * MESSAGES:
            account["received"].append(str(websocket.recv()))


async def main() -> None:
    connected: set[Any] = set()

    async def handler(websocket: Any) -> None:
        connected.add(websocket)
        if len(connected) == CLIENTS:
            broadcast(connected, "all are there")
        async for message in websocket:
            broadcast(connected, message)

    async with serve(handler, "localhost", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        threads = [threading.Thread(target=talking, args=(port, number)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
    print(json.dumps(accounts if len(connected) == CLIENTS else None))


asyncio.run(main())
