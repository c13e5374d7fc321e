"""gunicorn: requests that come in over HTTP, whatever WSGI or ASGI application answers them.

Wrapped: `handle_request` of the sync, threaded and gevent workers, in which the application is called, its response
iterated and closed; their HTTP/2 forms; the ASGI worker's `_handle_http_request`; and where each begins a response, for
its status. The `uvicorn.workers` kind is uvicorn's own hook.

Not seen: the status of a response that a WSGI worker itself makes of an error (the trigger says `raised`); the tornado
worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import http_request
from msgtrace.hook import Hook, Late, Point, Trigger

if TYPE_CHECKING:
    from msgtrace.records import Message


def by_sync(self: Any, listener: Any, req: Any, client: Any, addr: Any) -> Message | None:
    """A request in the sync worker."""
    return of_request(req)


def by_green(self: Any, listener_name: Any, req: Any, sock: Any, addr: Any, h2_conn: Any = None) -> Message | None:
    """A request in a greenlet's worker."""
    return of_request(req)


def by_thread(self: Any, req: Any, conn: Any, h2_conn: Any = None) -> Message | None:
    """A request in the threaded worker."""
    return of_request(req)


def by_loop(self: Any, request: Any, *_rest: Any, **_named: Any) -> Message | None:
    """A request in the ASGI worker."""
    return of_request(request)


def of_request(request: Any) -> Message | None:
    """What gunicorn has parsed."""
    return http_request.of_target(request.method, request.path)


def begun(_result: Any, self: Any, status: Any, *_rest: Any, **_named: Any) -> None:
    """An ASGI response's beginning."""
    http_request.saw_status(status)


BEGUN = Late(kind="trigger", read=begun, before=True)


def server(read: Any) -> Trigger:
    """A trigger of a server's."""
    return Trigger(read=read, server=True)


HOOK = Hook(
    library="gunicorn",
    system="http",
    distribution="gunicorn",
    versions=">=21,<28",
    points=(
        Point("gunicorn.workers.sync:SyncWorker.handle_request", server(by_sync)),
        Point("gunicorn.workers.base_async:AsyncWorker.handle_request", server(by_green)),
        Point("gunicorn.workers.base_async:AsyncWorker.handle_http2_request", server(by_green), versions=">=25"),
        Point("gunicorn.workers.gthread:ThreadWorker.handle_request", server(by_thread)),
        Point("gunicorn.workers.gthread:ThreadWorker.handle_http2_request", server(by_thread), versions=">=25"),
        Point("gunicorn.http.wsgi:Response.start_response", http_request.STARTS_RESPONSE),
        Point("gunicorn.asgi.protocol:ASGIProtocol._handle_http_request", server(by_loop), versions=">=24"),
        Point("gunicorn.asgi.protocol:ASGIProtocol._handle_http2_request", server(by_loop), versions=">=25"),
        Point("gunicorn.asgi.protocol:ASGIProtocol._send_response_start", BEGUN, versions=">=24"),
        Point("gunicorn.asgi.protocol:ASGIProtocol._send_error_response", BEGUN, versions=">=24"),
    ),
)
