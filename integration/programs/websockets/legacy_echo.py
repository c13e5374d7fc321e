"""The legacy client and server in one process: every way to send and to take a message; the server answers each."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from typing import Any

warnings.simplefilter("ignore", DeprecationWarning)  # all of it is deprecated, and says so

from account import Account  # noqa: E402 - after the filter
from websockets.exceptions import ConnectionClosed  # noqa: E402
from websockets.legacy.client import connect  # noqa: E402
from websockets.legacy.server import broadcast, serve  # noqa: E402

account = Account()
ROUNDS: list[Any] = [
    "plain",
    "",
    "zwölf Löwen 🦁",
    b"\x00\xff binary",
    b"",
    bytearray(b"an array"),
    memoryview(b"a view"),
    "x" * 70_000,
]


async def answering(websocket: Any) -> None:
    async for message in websocket:
        account.received("server", message)
        if message == "bye":
            break
        answer = message.upper() if isinstance(message, str) else message[::-1]
        account.sent("server", answer)
        await websocket.send(answer)
    broadcast([websocket], "to all")
    account.sent("server", "to all")
    await websocket.close(4001, "had enough")


async def pieces(*parts: Any) -> AsyncIterator[Any]:
    for part in parts:
        await asyncio.sleep(0)
        yield part


async def main() -> None:
    async with serve(answering, "localhost", 0, subprotocols=["echo.v1"]) as server:  # type: ignore[list-item]  # a NewType of str
        port = server.sockets[0].getsockname()[1]  # type: ignore[index]  # it is declared as any iterable
        async with connect(f"ws://localhost:{port}/legacy/1?token=s3cret", subprotocols=["echo.v1"]) as websocket:  # type: ignore[list-item]  # as above
            for message in ROUNDS:
                account.sent("client", message)
                await websocket.send(message)
                account.received("client", await websocket.recv())
            for parts, whole in (
                (["frag", "", "mentäd"], "fragmentäd"),
                ([b"frag", b"\xffmented"], b"frag\xffmented"),
                (pieces("async ", "pieces"), "async pieces"),
            ):
                account.sent("client", whole)
                await websocket.send(parts)
                account.received("client", await websocket.recv())
            await (await websocket.ping(b"are you there"))
            await websocket.pong(b"unasked")
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
    account.tell()


asyncio.run(main())
