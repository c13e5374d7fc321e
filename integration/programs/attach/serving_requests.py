"""One application, as WSGI and as ASGI: emits what it is asked to, and gives an account of its process.

/tick/NUMBER emits the number; /account says what this process has emitted and handled, and what has changed in it since its
first request. Neither knows msgtrace.
"""

import json
import os
from typing import Any

from account import bus, emitted, handled
from unchanged import changed, standing_now

SERVERS = ("gunicorn", "uvicorn", "pyee")


@bus.on("request")
def on_request(_number: int) -> None:
    handled["requests"] += 1


def answer(path: str) -> bytes:
    standing_now(SERVERS)
    if path.startswith("/tick/"):
        emitted["requests"] += 1
        bus.emit("request", int(path.rpartition("/")[2]))
        return b"done"
    told = {"pid": os.getpid(), "emitted": emitted["requests"], "handled": handled["requests"]}
    return json.dumps({**told, "changed": changed(SERVERS)}).encode()


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = answer(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = answer(scope["path"])
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})
