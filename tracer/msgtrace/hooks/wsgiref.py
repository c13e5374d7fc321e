"""wsgiref: requests that come in over HTTP to the standard library's server, or one built on it (Django's runserver).

Wrapped: `BaseHandler.run`, in which the application is called and its response sent, and `start_response`, for the
status and for what the application raised.

Not seen: what an asynchronous subclass goes on to send after `run` has returned; a CGI script's request, whose handler
has no environment of its own before `run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import http_request
from msgtrace.hook import Hook, Point, Trigger

if TYPE_CHECKING:
    from msgtrace.records import Message


def asked(self: Any, application: Any) -> Message | None:
    """The request of a handler."""
    environ = getattr(self, "base_env", None)
    return None if environ is None else http_request.of_environ(environ)


HOOK = Hook(
    library="wsgiref",
    system="http",
    distribution="python",
    versions=">=3.11",
    points=(
        Point("wsgiref.handlers:BaseHandler.run", Trigger(read=asked, server=True)),
        Point("wsgiref.handlers:BaseHandler.start_response", http_request.STARTS_RESPONSE),
    ),
)
