"""A WSGI application without any framework."""

import time

from bus import bus


def chunks():
    for chunk in ("one", "two"):
        bus.emit("chunk", chunk)
        yield chunk.encode()


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/fails":
        bus.emit("failing")
        raise LookupError("no such thing")
    if path.startswith("/orders/"):
        time.sleep(0.01)
        bus.emit("placed", int(path.split("/")[2]))
        start_response("201 Created", [("Content-Length", "6")])
        return [b"placed"]
    if path == "/stream":
        start_response("200 OK", [("Content-Length", "6")])
        return chunks()
    start_response("404 Not Found", [("Content-Length", "4")])
    return [b"none"]
