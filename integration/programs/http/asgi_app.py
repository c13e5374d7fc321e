"""An ASGI application without any framework: nobody knows a route of it."""

import asyncio

from bus import bus


async def application(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        bus.emit("started")
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        message = await receive()
        bus.emit("said", message["text"])
        await send({"type": "websocket.send", "text": message["text"]})
        await send({"type": "websocket.close"})
        return
    path = scope["path"]
    if path == "/fails":
        bus.emit("failing")
        raise LookupError("no such thing")
    if path.startswith("/orders/"):
        await asyncio.sleep(0.01)
        bus.emit("placed", int(path.split("/")[2]))
        await respond(send, 201, [b"placed"])
    elif path == "/stream":
        await respond(send, 200, [b"one", b"two"])
    else:
        await respond(send, 404, [b"none"])


async def respond(send, status: int, chunks: list) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    for chunk in chunks:
        if len(chunks) > 1:
            await asyncio.sleep(0.001)
            bus.emit("chunk", chunk.decode())
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
