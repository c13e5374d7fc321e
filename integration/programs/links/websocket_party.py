"""WebSocket: three clients send to one server, which sends each message on to all three."""

from __future__ import annotations

import asyncio
import sys

from bodies import Ledger, bodies, identity
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, broadcast, serve

role, url, path_name, count_text, path = sys.argv[1:]
name, _, number_text = role.partition("/")
ledger = Ledger(path)
count = int(count_text)
PRODUCERS = 3


async def client() -> None:
    async with connect(url, max_queue=None) as connection:
        ledger.received.append(identity(await connection.recv(decode=False)))  # everybody is there

        async def receive() -> None:
            for _ in range(PRODUCERS * count):
                message = await connection.recv()
                assert isinstance(message, bytes)
                ledger.received.append(identity(message))

        receiving = asyncio.create_task(receive())
        for body in bodies(int(number_text), count):
            await connection.send(body)
            ledger.sent.append(identity(body))
        await receiving


async def server() -> None:
    clients: set[ServerConnection] = set()
    ended = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        clients.add(connection)
        if len(clients) == PRODUCERS:
            everybody = " " * 64 + "start"
            broadcast(clients, everybody.encode())
            ledger.sent.extend(["start"] * PRODUCERS)
        async for message in connection:
            assert isinstance(message, bytes)
            ledger.received.append(identity(message))
            broadcast(clients, message)
            ledger.sent.extend([identity(message)] * PRODUCERS)
        await connection.wait_closed()
        ended.set()

    async with serve(handler, "127.0.0.1", 0, max_queue=None) as listening:
        port = listening.sockets[0].getsockname()[1]
        print(f"ready ws://127.0.0.1:{port}/{path_name}", flush=True)
        await ended.wait()
        while any(c.state.name != "CLOSED" for c in clients):  # noqa: ASYNC110 - silence, and others' state, set no event
            await asyncio.sleep(0.05)


asyncio.run(server() if name == "server" else client())
ledger.write()
