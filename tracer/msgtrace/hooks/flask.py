"""Flask: the route of a request, and the request itself where no server's hook has begun it.

Wrapped: `Flask.wsgi_app`, for test clients and for servers without a hook; `full_dispatch_request`, where the route is
known; `handle_exception`, for what a view raised: Flask makes a response of it.

Not seen: under a server without a hook, what is sent while a streamed response is iterated, after `wsgi_app` returned.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from msgtrace import http_request
from msgtrace.hook import Hook, Late, Point, Trigger

if TYPE_CHECKING:
    from msgtrace.records import Message


def asked(self: Any, environ: Any, start_response: Any) -> Message | None:
    """The request of an application's call."""
    return http_request.of_environ(environ)


def routed(_result: Any, self: Any, ctx: Any = None) -> None:
    """The view is about to be called, or the error of a path that has none."""
    request = http_request.current()
    if request is None:
        return
    if ctx is None:
        flask = sys.modules["flask.globals"]
        ctx = (getattr(flask, "_cv_request", None) or flask._cv_app).get(None)  # noqa: SLF001 - the public proxies raise outside of a request
    rule = getattr(getattr(ctx, "request", None), "url_rule", None)
    if rule is not None:
        path = ctx.request.environ.get("PATH_INFO", "")
        request.routed(http_request.template(rule.rule), http_request.decoded(path))


def raised(_result: Any, self: Any, *arguments: Any) -> None:
    """A view raised: `(e)`, and from Flask 3.2 `(ctx, e)`."""
    request = http_request.current()
    if request is not None:
        request.failed(arguments[-1])


HOOK = Hook(
    library="flask",
    system="http",
    distribution="flask",
    versions=">=2.2,<4",
    points=(
        Point("flask.app:Flask.wsgi_app", Trigger(read=asked)),
        Point("flask.app:Flask.full_dispatch_request", Late(kind="trigger", read=routed, before=True)),
        Point("flask.app:Flask.handle_exception", Late(kind="trigger", read=raised, before=True)),
    ),
)
