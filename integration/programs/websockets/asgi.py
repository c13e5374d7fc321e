"""An ASGI application that uvicorn serves, with Starlette's WebSocket: text, bytes, JSON, closing; and its client."""

import asyncio
import json
from typing import Any

import uvicorn
from account import Account
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

account = Account()


async def endpoint(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            event = await websocket.receive()
            if event["type"] == "websocket.disconnect":
                break
            message = event["text"] if event.get("text") is not None else event["bytes"]
            account.received("server", message)
            if message == "bye":
                await websocket.close(4001, "had enough")
                break
            answer = message[::-1]
            account.sent("server", answer)
            await (websocket.send_text(answer) if isinstance(answer, str) else websocket.send_bytes(answer))
    except WebSocketDisconnect:
        account.notes["left"] = True


async def refusing(websocket: WebSocket) -> None:
    await websocket.close()


async def main() -> None:
    application = Starlette(routes=[WebSocketRoute("/rooms/{room}", endpoint), WebSocketRoute("/no", refusing)])
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has nothing to wait for
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    messages: list[Any] = ["text", b"\x00bytes", json.dumps({"a": 1}), ["frag", "mented"], "x" * 70_000]
    async with connect(f"ws://127.0.0.1:{port}/rooms/7?token=s3cret") as websocket:
        for message in messages:
            account.sent("client", "".join(message) if isinstance(message, list) else message)
            await websocket.send(message)
            account.received("client", await websocket.recv())
        account.sent("client", "bye")
        await websocket.send("bye")
        try:
            await websocket.recv()
        except ConnectionClosed as closed:
            account.notes["closed"] = [closed.rcvd.code, closed.rcvd.reason] if closed.rcvd else None
    try:
        await connect(f"ws://127.0.0.1:{port}/no")
    except InvalidStatus as refused:
        account.notes["refused"] = refused.response.status_code
    server.should_exit = True
    await task
    account.tell()


asyncio.run(main())
