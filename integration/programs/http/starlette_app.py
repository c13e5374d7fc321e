"""The same in Starlette; one part of it mounted, with a task after the response and a WebSocket."""

import asyncio

from bus import bus
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute


async def placed(request) -> PlainTextResponse:
    await asyncio.sleep(0.01)
    bus.emit("placed", request.path_params["order_id"])
    return PlainTextResponse("placed", 201)


def failing(_request) -> PlainTextResponse:
    bus.emit("failing")  # in a thread of its own
    raise LookupError("no such thing")


async def streamed(_request) -> StreamingResponse:
    async def chunks():
        for chunk in ("one", "two"):
            await asyncio.sleep(0.001)
            bus.emit("chunk", chunk)
            yield chunk

    return StreamingResponse(chunks())


async def later(_request) -> PlainTextResponse:
    async def after() -> None:
        await asyncio.sleep(0.01)
        bus.emit("after", 1)

    return PlainTextResponse("later", background=BackgroundTask(after))


async def talk(socket) -> None:
    await socket.accept()
    bus.emit("said", await socket.receive_text())
    await socket.send_text("heard")
    await socket.close()


application = Starlette(
    routes=[
        Route("/orders/{order_id:int}/items", placed, methods=["POST"]),
        Route("/fails", failing),
        Mount("/api", routes=[Route("/stream", streamed), Route("/later", later)]),
        WebSocketRoute("/talk", talk),
    ]
)
