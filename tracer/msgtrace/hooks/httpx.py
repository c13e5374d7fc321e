"""httpx: requests that the program makes over HTTP.

Wrapped: the network transports' `handle_request` and `handle_async_request`, which every client's request ends in, one
call for each that goes over the wire: what httpx does by itself, following a redirect or answering a challenge, is
a request of its own. Ends when the response's head is there; a body that is streamed comes later.

Not seen: requests that a transport of the program's answers without the network (`MockTransport`, `ASGITransport`,
`WSGITransport`), and those of programs that use httpcore itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import http_call
from msgtrace.hook import Hook, Point, Send

if TYPE_CHECKING:
    from msgtrace.records import Facts, Message


def requested(self: Any, request: Any) -> Message | None:
    """A request on its way."""
    url = request.url
    return http_call.called(request.method, url.scheme, url.host, url.port, url.path)


def responded(_sequence: Any, result: Any, self: Any, request: Any) -> Facts | None:
    """The head of its response."""
    return http_call.answered(result.status_code)


CALL = Send(kind="call", read=requested, done=responded, failed=http_call.told)

HOOK = Hook(
    library="httpx",
    system="http",
    distribution="httpx",
    versions=">=0.23,<1",
    points=(
        Point("httpx._transports.default:HTTPTransport.handle_request", CALL),
        Point("httpx._transports.default:AsyncHTTPTransport.handle_async_request", CALL),
    ),
)
