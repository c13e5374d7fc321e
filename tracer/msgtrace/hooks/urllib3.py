"""urllib3: requests that the program makes over HTTP, and with it those of requests, botocore and others that are built on it.

Wrapped: `HTTPConnectionPool.urlopen`, which every request ends in. It calls itself to try again: that is the same call,
however often; and to follow a redirect: that is another. Ends when the response is there, with its body unless
`preload_content=False` (requests asks so).

Not seen: how often it tried; a redirect that leads to an error, when a pool itself follows it (`PoolManager` and requests
do that above their pools), is told of the first request too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import http_call
from msgtrace.hook import Hook, Point, Send

if TYPE_CHECKING:
    from msgtrace.records import Facts, Message


def requested(
    self: Any,
    method: Any,
    url: Any,
    body: Any = None,
    headers: Any = None,
    retries: Any = None,
    *more: Any,
    **named: Any,
) -> Message | None:
    """A request, unless it is the next attempt at one."""
    history = _history(retries)
    if history and not history[-1].redirect_location:
        return None
    if isinstance(url, str) and not url.startswith("/") and "://" in url:
        return http_call.called_at(method, str.__str__(url))  # through a proxy, whose pool this is
    return http_call.called(method, self.scheme, self.host.strip("[]"), self.port, url)


def responded(
    _sequence: Any,
    result: Any,
    self: Any,
    method: Any,
    url: Any,
    body: Any = None,
    headers: Any = None,
    retries: Any = None,
    *more: Any,
    **named: Any,
) -> Facts | None:
    """Its response; if that is already the one of a redirect, the redirect."""
    since = _history(getattr(result, "retries", None))[len(_history(retries)) :]
    redirects = [each.status for each in since if each.redirect_location]
    return http_call.answered(redirects[0] if redirects else result.status)


def _history(retries: Any) -> tuple[Any, ...]:
    """What has been tried before, of a `Retry`."""
    history = getattr(retries, "history", ())
    return history if type(history) is tuple else ()


HOOK = Hook(
    library="urllib3",
    system="http",
    distribution="urllib3",
    versions=">=1.26,<3",
    points=(
        Point(
            "urllib3.connectionpool:HTTPConnectionPool.urlopen",
            Send(kind="call", read=requested, done=responded, failed=http_call.told),
        ),
    ),
)
