"""Every way in which a connection ends; prints what both ends were told of each end."""

import asyncio
import json
import logging
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

logging.getLogger("websockets.server").addHandler(logging.NullHandler())  # failures are wanted here
ends: dict[str, dict[str, Any]] = {}
ready = asyncio.Event()
taken: list[Any] = []


def told(name: str, end: str, closed: ConnectionClosed) -> None:
    def code(close: Any) -> Any:
        return None if close is None else [int(close.code), close.reason]

    ends.setdefault(name, {})[end] = {"received": code(closed.rcvd), "sent": code(closed.sent)}


async def handler(websocket: Any) -> None:
    name = websocket.request.path.strip("/")
    try:
        match name:
            case "server-closes":
                await websocket.close(4002, "served")
            case "server-fails":
                raise RuntimeError("a mistake of the handler's")
            case "server-vanishes":
                websocket.transport.abort()
            case "unread":
                await asyncio.sleep(0.2)
                while True:
                    taken.append(await websocket.recv())
            case "server-stops":
                await websocket.send("ready")
                ready.set()
        while True:
            await websocket.recv()
    except ConnectionClosed as closed:
        told(name, "server", closed)
        raise


async def client(port: int, name: str) -> None:
    try:
        async with connect(f"ws://localhost:{port}/{name}") as websocket:
            match name:
                case "client-closes":
                    await websocket.close()
                case "client-says-why":
                    await websocket.close(4000, "tired of it")
                case "client-fails":
                    raise KeyError("a mistake of the program's")  # noqa: TRY301 - what is tried here
                case "client-vanishes":
                    websocket.transport.abort()
                case "too-big":
                    await websocket.send("x" * 2000)
                case "wrong-frame":
                    websocket.transport.write(b"\xf4\x80\x00\x00\x00\x00")
                case "bad-fragments":
                    await websocket.send(["text", b"binary"])
                case "unread":
                    for message in ("one", "two", "three"):
                        await websocket.send(message)
                    await websocket.close()
            while True:
                await websocket.recv()
    except ConnectionClosed as closed:
        told(name, "client", closed)
    except (KeyError, TypeError) as error:
        ends.setdefault(name, {})["client"] = {"raised": type(error).__name__}


async def main() -> None:
    async with serve(handler, "localhost", 0, max_size=1000) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        for name in (
            "client-closes",
            "client-says-why",
            "client-fails",
            "client-vanishes",
            "server-closes",
            "server-fails",
            "server-vanishes",
            "too-big",
            "wrong-frame",
            "bad-fragments",
            "unread",
        ):
            await asyncio.wait_for(client(port, name), 20)
        stopping = asyncio.create_task(client(port, "server-stops"))
        await ready.wait()
        server.close()
        await asyncio.wait_for(stopping, 20)
    print(json.dumps({"ends": ends, "taken": taken}))


asyncio.run(main())
