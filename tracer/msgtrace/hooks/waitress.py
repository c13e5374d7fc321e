"""waitress: requests that come in over HTTP, whatever WSGI application answers them.

Wrapped: `WSGITask.execute`, in which a pool thread calls the application, iterates its response and closes it.

Not seen: requests that waitress refuses itself (malformed, too large): no application is asked;
the status of a response that it makes of an application's error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import http_request
from msgtrace.hook import Hook, Point, Trigger

if TYPE_CHECKING:
    from msgtrace.records import Message


def asked(self: Any) -> Message | None:
    """The request of a task."""
    return http_request.message(self.request.command, http_request.decoded(self.request.path))


def answered(request: http_request.Request, error: BaseException | None, _result: Any, self: Any) -> None:
    """The status line that the application gave; until then it is a default."""
    if self.complete:
        request.answered(self.status)


HOOK = Hook(
    library="waitress",
    system="http",
    distribution="waitress",
    versions=">=2.1,<4",
    points=(Point("waitress.task:WSGITask.execute", Trigger(read=asked, learned=answered, server=True)),),
)
