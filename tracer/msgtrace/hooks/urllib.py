"""urllib.request of the standard library: requests that the program makes over HTTP.

Wrapped: `AbstractHTTPHandler.do_open`, one call for each request that goes over the wire; a redirect that is followed is
a request of its own. Ends when the response's head is there.

Not seen: requests of programs that use http.client itself; the method where a `get_method` of the program's own says it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from msgtrace import http_call
from msgtrace.hook import Hook, Point, Send

if TYPE_CHECKING:
    from msgtrace.records import Facts, Message


def requested(self: Any, http_class: Any, req: Any, **http_conn_args: Any) -> Message | None:
    """A request on its way, through a proxy or not."""
    method = _method(req)
    if not req.host:
        return None  # it is refused
    if req.selector.startswith(("http://", "https://")):
        return http_call.called_at(method, req.selector)  # to a proxy, with the whole address
    # With a tunnel, `host` is the proxy's.
    host, port = http_call.host_and_port(req._tunnel_host or req.host)  # noqa: SLF001 - where it tells
    return http_call.called(method, req.type, host, port, req.selector)


def _method(req: Any) -> str:
    theirs = "get_method" in vars(req) or type(req).get_method is not sys.modules["urllib.request"].Request.get_method
    if theirs:
        return ""
    return getattr(req, "method", None) or ("GET" if req.data is None else "POST")


def responded(_sequence: Any, result: Any, self: Any, http_class: Any, req: Any, **http_conn_args: Any) -> Facts | None:
    """The head of its response."""
    return http_call.answered(result.status)


HOOK = Hook(
    library="urllib.request",
    system="http",
    distribution="python",
    versions=">=3.11",
    points=(
        Point(
            "urllib.request:AbstractHTTPHandler.do_open",
            Send(kind="call", read=requested, done=responded, failed=http_call.told),
        ),
    ),
)
