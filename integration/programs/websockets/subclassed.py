"""A connection class of the program's own, in which messages are JSON, and `send` and `recv` are made anew."""

import asyncio
import inspect
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve


class Client(ClientConnection):
    async def send(self, message: Any, **options: Any) -> None:
        await super().send(json.dumps(message), **options)

    async def recv(self, decode: Any = None) -> Any:
        return json.loads(await (super().recv() if decode is None else super().recv(decode)))


class Server(ServerConnection):
    remote = property(lambda self: 1 / 0)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"asked for {name}") if name.startswith("__") else RuntimeError(f"asked for {name}")


async def answering(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message)


async def main() -> None:
    async with serve(answering, "localhost", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://localhost:{port}/json", create_connection=Client) as websocket:
            await websocket.send({"type": "greeting", "to": ["all"]})
            answer = await websocket.recv()
    kinds = [inspect.iscoroutinefunction(each) for each in (Client.send, Client.recv, ClientConnection.recv)]
    print(json.dumps({"answer": answer, "kinds": kinds, "signature": str(inspect.signature(ClientConnection.recv))}))


asyncio.run(main())
