"""Django: the route of a request, and the request itself where no server's hook has begun it.

Wrapped: `BaseHandler.get_response` and its asynchronous form, which WSGI, ASGI and the test client all come through,
and `handle_uncaught_exception`, for what a view raised: Django makes a response of it.

Not seen: under a server without a hook, what is sent while a streamed response is iterated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace import http_request
from msgtrace.hook import Hook, Late, Point, Trigger

if TYPE_CHECKING:
    from msgtrace.records import Message


def asked(self: Any, request: Any) -> Message | None:
    """The request that a response is wanted for."""
    return http_request.message(request.method, request.path)


def routed(asking: http_request.Request, _error: BaseException | None, response: Any, self: Any, request: Any) -> None:
    """The response is made: the route and the status are known."""
    route = getattr(getattr(request, "resolver_match", None), "route", None)
    if type(route) is str:
        asking.routed(http_request.template(route), request.path_info)
    status = getattr(response, "status_code", None)
    if type(status) is int:
        asking.answered(status)


def raised(_result: Any, request: Any, resolver: Any, exc_info: Any) -> None:
    """A view raised, and it is no answer in disguise (`Http404`)."""
    asking = http_request.current()
    if asking is not None:
        asking.failed(exc_info[1])


ANSWERED = Trigger(read=asked, learned=routed)

HOOK = Hook(
    library="django",
    system="http",
    distribution="django",
    versions=">=4.2,<7",
    points=(
        Point("django.core.handlers.base:BaseHandler.get_response", ANSWERED),
        Point("django.core.handlers.base:BaseHandler.get_response_async", ANSWERED),
        Point(
            "django.core.handlers.exception:handle_uncaught_exception",
            Late(kind="trigger", read=raised, before=True),
        ),
    ),
)
