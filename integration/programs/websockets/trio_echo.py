"""Trio client and server in one process; the server answers each message."""

from functools import partial
from importlib import import_module
from typing import Any

from account import Account
from websockets.exceptions import ConnectionClosed
from websockets.trio.client import connect
from websockets.trio.server import broadcast, serve

trio = import_module("trio")  # typed only where it is installed
account = Account()
ROUNDS: list[Any] = ["plain", "", "zwölf Löwen 🦁", b"\x00\xff binary", b"", bytearray(b"an array"), "x" * 70_000]


async def answering(websocket: Any) -> None:
    async for message in websocket:
        account.received("server", message)
        if message == "bye":
            break
        answer = message.upper() if isinstance(message, str) else message[::-1]
        account.sent("server", answer)
        await websocket.send(answer)
    await broadcast([websocket], "to all")
    account.sent("server", "to all")
    await websocket.aclose(4001, "had enough")


async def main() -> None:
    async with trio.open_nursery() as nursery:
        server = await nursery.start(partial(serve, answering, 0, host="localhost"))
        port = server.listeners[0].socket.getsockname()[1]
        async with connect(f"ws://localhost:{port}/trio/1") as websocket:
            for message in ROUNDS:
                account.sent("client", message)
                await websocket.send(message)
                account.received("client", await websocket.recv())
            account.sent("client", "fragmentäd")
            await websocket.send(["frag", "", "mentäd"])
            pieces = [piece async for piece in websocket.recv_streaming()]
            account.notes["streamed"] = [len(pieces)]
            account.received("client", "".join(pieces))  # type: ignore[arg-type]  # text: the answer to text
            await websocket.ping(b"are you there")
            account.sent("client", "bye")
            await websocket.send("bye")
            try:
                while True:
                    account.received("client", await websocket.recv())
            except ConnectionClosed as closed:
                account.notes["closed"] = [closed.rcvd.code, closed.rcvd.reason] if closed.rcvd else None
            try:
                await websocket.send("too late")
            except ConnectionClosed as closed:
                account.notes["too late"] = type(closed).__name__
        await server.aclose()
    account.tell()


trio.run(main)
