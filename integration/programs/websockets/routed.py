"""A router with two handlers, of which one has a parameter in its path; prints what each client was answered."""

import asyncio
import json
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.router import route
from websockets.exceptions import InvalidStatus
from werkzeug.routing import Map, Rule

answers: dict[str, Any] = {}


async def room(websocket: Any, number: int, name: str) -> None:
    """Says which room it is."""
    await websocket.send(f"room {number} of {name}")


async def lobby(websocket: Any) -> None:
    await websocket.send("lobby")


async def main() -> None:
    rules = Map([Rule("/rooms/<int:number>/<name>", endpoint=room), Rule("/lobby", endpoint=lobby)])
    async with route(rules, "localhost", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        for path in ("/rooms/17/ann", "/lobby", "/nowhere"):
            try:
                async with connect(f"ws://localhost:{port}{path}") as websocket:
                    answers[path] = await websocket.recv()
            except InvalidStatus as refused:
                answers[path] = refused.response.status_code
    print(json.dumps(answers))


asyncio.run(main())
