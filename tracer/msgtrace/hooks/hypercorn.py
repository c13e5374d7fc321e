"""hypercorn: requests that come in over HTTP/1, 2 or 3, whatever ASGI or WSGI application answers them.

Wrapped: `__call__` of the two wrappers around an application, which is the task of one request, and the HTTP stream's
`app_send`, for the status.

Not seen: the status of a response that hypercorn itself makes of an error (the trigger says `raised`); what a WebSocket's
or the lifespan's scope does: no trigger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import http_request
from msgtrace.hook import Hook, Point, Trigger

if TYPE_CHECKING:
    from msgtrace.records import Message


def asked(self: Any, scope: Any, receive: Any, send: Any, sync_spawn: Any, call_soon: Any) -> Message | None:
    """The request of an application's call."""
    return http_request.of_scope(scope)


ANSWERED = Trigger(read=asked, server=True)

HOOK = Hook(
    library="hypercorn",
    system="http",
    distribution="hypercorn",
    versions=">=0.16,<1",
    points=(
        Point("hypercorn.app_wrappers:ASGIWrapper.__call__", ANSWERED),
        Point("hypercorn.app_wrappers:WSGIWrapper.__call__", ANSWERED),
        Point("hypercorn.protocol.http_stream:HTTPStream.app_send", http_request.SENDS),
    ),
)
