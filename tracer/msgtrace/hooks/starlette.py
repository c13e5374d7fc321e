"""Starlette, and FastAPI on it: the route of a request, and the request itself where no server's hook has begun it.

Wrapped: `Starlette.__call__`, for test clients, for servers without a hook, and for what the application raises;
`Route.handle` and `Mount.handle`, where the route is known; the responses' `__call__`, for the status.

Not seen: the request of a bare `Router` or `Route` that a test client calls without an application around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import http_request
from msgtrace.hook import Hook, Late, Point, Trigger

if TYPE_CHECKING:
    from msgtrace.records import Message


def asked(self: Any, scope: Any, receive: Any, send: Any) -> Message | None:
    """The request of an application's call."""
    return http_request.of_scope(scope)


def routed(_result: Any, self: Any, scope: Any, receive: Any, send: Any) -> None:
    """A route takes the request."""
    request = http_request.current()
    if request is not None and scope["type"] == "http":
        request.routed(self.path_format)


def mounted(_result: Any, self: Any, scope: Any, receive: Any, send: Any) -> None:
    """What is mounted at a path takes the request."""
    request = http_request.current()
    if request is not None and scope["type"] == "http":
        # The format ends in the parameter that stands for what is below the mount point.
        request.mounted(self.path_format.removesuffix("/{path}"))


def begun(_result: Any, self: Any, scope: Any, receive: Any, send: Any) -> None:
    """A response is about to be sent."""
    if scope["type"] == "http":
        http_request.saw_status(self.status_code)


BEGUN = Late(kind="trigger", read=begun, before=True)

HOOK = Hook(
    library="starlette",
    system="http",
    distribution="starlette",
    versions=">=0.35,<2",
    points=(
        Point("starlette.applications:Starlette.__call__", Trigger(read=asked, learned=http_request.saw_error)),
        Point("starlette.routing:Route.handle", Late(kind="trigger", read=routed, before=True)),
        Point("starlette.routing:Mount.handle", Late(kind="trigger", read=mounted, before=True)),
        Point("starlette.responses:Response.__call__", BEGUN),
        Point("starlette.responses:StreamingResponse.__call__", BEGUN),
        Point("starlette.responses:FileResponse.__call__", BEGUN),
    ),
)
