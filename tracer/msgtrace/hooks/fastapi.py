"""FastAPI: the route of a request, where it is an included router's: the prefix is not on the route then.

Wrapped: `APIRoute.handle`. Everything else is Starlette's hook.
"""

from __future__ import annotations

from typing import Any

from msgtrace import http_request
from msgtrace.hook import Hook, Late, Point


def routed(_result: Any, self: Any, scope: Any, receive: Any, send: Any) -> None:
    """A route takes the request, as itself or as included in a router."""
    request = http_request.current()
    if request is None:
        return
    included = (scope.get("fastapi") or {}).get("effective_route_context")
    known: Any = included if included is not None and included.original_route is self else self
    request.routed(known.path_format)


HOOK = Hook(
    library="fastapi",
    system="http",
    distribution="fastapi",
    versions=">=0.110,<1",
    points=(Point("fastapi.routing:APIRoute.handle", Late(kind="trigger", read=routed, before=True)),),
)
