"""The same in Flask."""

import time

from bus import bus
from flask import Flask, Response

application = Flask(__name__)


@application.post("/orders/<int:order_id>/items")
def placed(order_id: int) -> tuple[str, int]:
    time.sleep(0.01)
    bus.emit("placed", order_id)
    return "placed", 201


@application.get("/fails")
def failing() -> str:
    bus.emit("failing")
    raise LookupError("no such thing")


@application.get("/api/stream")
def streamed() -> Response:
    def chunks():
        for chunk in ("one", "two"):
            bus.emit("chunk", chunk)
            yield chunk

    return Response(chunks())
