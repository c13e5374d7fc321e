"""uvicorn: requests that come in over HTTP, whatever ASGI application answers them.

Wrapped: each protocol's `RequestResponseCycle.run_asgi`, the task of one request, in which streaming bodies are sent
and background tasks run; its `send`, for the status; and the proxy-headers middleware, which stands around every
application unless it is switched off, for what the application raises: `run_asgi` swallows that.

Not seen: what a WebSocket's or the lifespan's scope does (no trigger); what an application raised under
`--no-proxy-headers`, unless a framework with a hook tells it (the status is 500 all the same).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import http_request
from msgtrace.hook import Hook, Point, Trigger

if TYPE_CHECKING:
    from msgtrace.records import Message


def asked(self: Any, _app: Any) -> Message | None:
    """The request of a cycle."""
    return http_request.of_scope(self.scope)


ANSWERED = Trigger(read=asked, server=True)

HOOK = Hook(
    library="uvicorn",
    system="http",
    distribution="uvicorn",
    versions=">=0.30,<1",
    points=(
        Point("uvicorn.protocols.http.h11_impl:RequestResponseCycle.run_asgi", ANSWERED),
        Point("uvicorn.protocols.http.h11_impl:RequestResponseCycle.send", http_request.SENDS),
        Point("uvicorn.protocols.http.httptools_impl:RequestResponseCycle.run_asgi", ANSWERED),
        Point("uvicorn.protocols.http.httptools_impl:RequestResponseCycle.send", http_request.SENDS),
        Point("uvicorn.protocols.http.zttp_impl:RequestResponseCycle.run_asgi", ANSWERED, versions=">=0.54"),
        Point("uvicorn.protocols.http.zttp_impl:RequestResponseCycle.send", http_request.SENDS, versions=">=0.54"),
        Point("uvicorn.protocols.http.zttp_h2_impl:RequestResponseCycle.run_asgi", ANSWERED, versions=">=0.54"),
        Point("uvicorn.protocols.http.zttp_h2_impl:RequestResponseCycle.send", http_request.SENDS, versions=">=0.54"),
        Point(
            "uvicorn.middleware.proxy_headers:ProxyHeadersMiddleware.__call__",
            Trigger(read=http_request.nothing, learned=http_request.saw_error),
        ),
    ),
)
