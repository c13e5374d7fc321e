"""werkzeug: requests that come in over HTTP to its development server (`flask run`), and the status of its responses.

Wrapped: `WSGIRequestHandler.run_wsgi`, in which the application is called and its response sent, and
`Response.__call__`, for the status under whatever server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import http_request
from msgtrace.hook import Hook, Late, Point, Trigger

if TYPE_CHECKING:
    from msgtrace.records import Message


def asked(self: Any) -> Message | None:
    """The request of a handler."""
    return http_request.of_target(self.command, self.path)


def begun(_result: Any, self: Any, environ: Any, start_response: Any) -> None:
    """A response is about to be sent."""
    http_request.saw_status(self.status_code)


HOOK = Hook(
    library="werkzeug",
    system="http",
    distribution="werkzeug",
    versions=">=2.2,<4",
    points=(
        Point("werkzeug.serving:WSGIRequestHandler.run_wsgi", Trigger(read=asked, server=True)),
        Point("werkzeug.wrappers.response:Response.__call__", Late(kind="trigger", read=begun, before=True)),
    ),
)
