"""httpx2, which goes on where httpx 0.28 ended: the same transports, under another name. See `httpx`."""

from __future__ import annotations

from msgtrace.hook import Hook, Point
from msgtrace.hooks.httpx import CALL

HOOK = Hook(
    library="httpx2",
    system="http",
    distribution="httpx2",
    versions=">=2.0,<3",
    points=(
        Point("httpx2._transports.default:HTTPTransport.handle_request", CALL),
        Point("httpx2._transports.default:AsyncHTTPTransport.handle_async_request", CALL),
    ),
)
