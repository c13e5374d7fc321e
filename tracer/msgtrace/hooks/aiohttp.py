"""aiohttp's client: requests that the program makes over HTTP.

Wrapped: `ClientSession._request`, which every method of a session ends in. Redirects are followed inside of it: one
operation, with the address that the program asked for, the status of the last response, and how many redirects there
were. Ends when that response's head is there.

Not seen: requests on the way to the last one; how often aiohttp tried again on a connection that had been closed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from msgtrace import http_call
from msgtrace.hook import Hook, Point, Send

if TYPE_CHECKING:
    from msgtrace.records import Facts, Message


def requested(self: Any, method: Any, str_or_url: Any, **named: Any) -> Message | None:
    """A request of a session, whose base its address may be relative to."""
    url = sys.modules["yarl"].URL(str_or_url)  # itself, if it is one
    base = self._base_url
    if base is not None and not url.absolute:
        url = base.join(url)
    return http_call.called(method, url.scheme, url.host, url.port, url.path)


def responded(_sequence: Any, result: Any, self: Any, method: Any, str_or_url: Any, **named: Any) -> Facts | None:
    """The head of the last response."""
    followed = len(result.history)
    return http_call.answered(result.status, **({"redirects": followed} if followed else {}))


def refused(error: BaseException, *call: Any, **named: Any) -> Facts:
    """What it raised; with `raise_for_status` that may be a response."""
    facts = http_call.told(error)
    answer = http_call.answered(error.__dict__.get("status"))
    return facts if answer is None else {**facts, **answer}


HOOK = Hook(
    library="aiohttp",
    system="http",
    distribution="aiohttp",
    versions=">=3.9,<4",
    points=(
        Point(
            "aiohttp.client:ClientSession._request",
            Send(kind="call", read=requested, done=responded, failed=refused),
        ),
    ),
)
