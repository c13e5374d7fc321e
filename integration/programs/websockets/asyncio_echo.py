"""Asyncio client and server in one process: every way to send and to take a message; the server answers each.

Compressed, with `deflate` as its argument.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from account import Account
from websockets.asyncio.client import connect
from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

account = Account()
ROUNDS: list[Any] = [
    "plain",
    "",
    "zwölf Löwen 🦁",
    b"\x00\xff binary",
    b"",
    bytearray(b"an array"),
    memoryview(b"a view"),
    json.dumps({"type": "order", "id": 7}),
    "x" * 70_000,
    b"y" * 70_001,
]


async def answering(websocket: Any) -> None:
    async for message in websocket:
        account.received("server", message)
        if message == "bye":
            break
        answer = message.upper() if isinstance(message, str) else message[::-1]
        account.sent("server", answer)
        await websocket.send(answer)
    await asyncio.sleep(0)
    broadcast([websocket], "to all")
    account.sent("server", "to all")
    broadcast([websocket], b"to all")
    account.sent("server", b"to all")
    await websocket.close(4001, "had enough")


async def pieces(*parts: Any) -> AsyncIterator[Any]:
    for part in parts:
        await asyncio.sleep(0)
        yield part


async def take(websocket: Any, **options: Any) -> None:
    account.received("client", await websocket.recv(**options))


async def main(compression: str | None) -> None:
    async with serve(
        answering, "localhost", 0, compression=compression, subprotocols=[Subprotocol("echo.v1")]
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        uri = f"ws://localhost:{port}/echo/room-7?token=s3cret&lang=de"
        async with connect(
            uri,
            compression=compression,
            subprotocols=[Subprotocol("echo.v1")],
            additional_headers={"Authorization": "Bearer s3cret", "Cookie": "session=s3cret"},
            origin=Origin("http://shop.example"),
        ) as websocket:
            for message in ROUNDS:
                account.sent("client", message)
                await websocket.send(message)
                await take(websocket)
            for parts, whole in (
                (["frag", "", "mentäd"], "fragmentäd"),
                ([b"frag", b"\xffmented"], b"frag\xffmented"),
                (pieces("async ", "pieces"), "async pieces"),
                (pieces(b"async ", b"bytes"), b"async bytes"),
                (["only one"], "only one"),
            ):
                account.sent("client", whole)
                await websocket.send(parts)
                await take(websocket)
            await websocket.send([])
            account.sent("client", "bye")
            await websocket.send("bye")
            await take(websocket)
            await take(websocket)
            try:
                await websocket.recv()
            except ConnectionClosed as closed:
                account.notes["closed"] = [closed.rcvd.code, closed.rcvd.reason] if closed.rcvd else None
            try:
                await websocket.send("too late")
            except ConnectionClosed as closed:
                account.notes["too late"] = type(closed).__name__
    account.tell()


asyncio.run(main("deflate" if sys.argv[1:] == ["deflate"] else None))
