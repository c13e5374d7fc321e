"""Handshakes that succeed, that one end refuses, and that are never answered; prints what became of each."""

import asyncio
import http
import json
import logging
import socket
from collections.abc import Awaitable
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Origin, Subprotocol

logging.getLogger("websockets").addHandler(logging.NullHandler())  # failures are wanted here
outcomes: list[dict[str, Any]] = []


async def greeting(websocket: Any) -> None:
    await websocket.send("welcome")
    await websocket.wait_closed()


def check(connection: Any, request: Any) -> Any:
    if request.path.startswith("/health"):
        return connection.respond(http.HTTPStatus.OK, "well\n")
    if "Authorization" not in request.headers:
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "who are you\n")
    return None


async def attempt(name: str, connecting: Awaitable[Any]) -> None:
    try:
        websocket = await connecting
        outcome: Any = {"status": 101, "subprotocol": websocket.subprotocol, "first": await websocket.recv()}
        await websocket.close()
    except InvalidStatus as refused:
        outcome = {"status": refused.response.status_code}
    except (OSError, ValueError, WebSocketException) as error:
        outcome = {"error": type(error).__name__}
    outcomes.append({"name": name, **outcome})


async def garbage(_reader: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-garbage\r\n\r\n")
    writer.close()


async def main() -> None:
    known = {"Authorization": "Bearer s3cret"}
    origins = [Origin("http://shop.example"), None]
    async with serve(
        greeting,
        "localhost",
        0,
        process_request=check,
        origins=origins,
        subprotocols=[Subprotocol("v2"), Subprotocol("v1")],
        select_subprotocol=lambda _connection, offered: next((each for each in offered if each == "v1"), None),
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        uri = f"ws://localhost:{port}"
        await attempt("open", connect(f"{uri}/open?room=1&token=s3cret", additional_headers=known))
        await attempt(
            "subprotocol",
            connect(f"{uri}/chosen", additional_headers=known, subprotocols=[Subprotocol("v0"), Subprotocol("v1")]),
        )
        await attempt("unauthorized", connect(f"{uri}/open"))
        await attempt("health", connect(f"{uri}/health", additional_headers=known))
        await attempt("origin", connect(f"{uri}/open", additional_headers=known, origin=Origin("http://evil.example")))
    async with await asyncio.start_server(garbage, "localhost", 0) as wrong:
        port = wrong.sockets[0].getsockname()[1]
        await attempt("garbage", connect(f"ws://localhost:{port}/garbage"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        await attempt("silent", connect(f"ws://127.0.0.1:{port}/silent", open_timeout=0.2))
    await attempt("nobody", connect(f"ws://someone:s3cret@127.0.0.1:{port}/nobody?token=s3cret"))
    print(json.dumps({"outcomes": outcomes}))


asyncio.run(main())
