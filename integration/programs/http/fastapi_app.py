"""The same in FastAPI; one part of it an included router, with a task after the response and a WebSocket."""

import asyncio

from bus import bus
from fastapi import APIRouter, BackgroundTasks, FastAPI, WebSocket
from fastapi.responses import StreamingResponse

application = FastAPI()
router = APIRouter(prefix="/api")


@application.post("/orders/{order_id}/items", status_code=201)
async def placed(order_id: int) -> str:
    await asyncio.sleep(0.01)
    bus.emit("placed", order_id)
    return "placed"


@application.get("/fails")
def failing() -> str:
    bus.emit("failing")  # in a thread of its own
    raise LookupError("no such thing")


@router.get("/stream")
def streamed() -> StreamingResponse:
    def chunks():
        for chunk in ("one", "two"):
            bus.emit("chunk", chunk)  # each in a thread
            yield chunk

    return StreamingResponse(chunks())


@router.get("/later")
async def later(tasks: BackgroundTasks) -> str:
    tasks.add_task(bus.emit, "after", 1)
    return "later"


@application.websocket("/talk")
async def talk(socket: WebSocket) -> None:
    await socket.accept()
    bus.emit("said", await socket.receive_text())
    await socket.send_text("heard")
    await socket.close()


application.include_router(router)
