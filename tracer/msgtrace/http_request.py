"""The HTTP request that the running code answers: one trigger operation, to which several points add what they see.

A server's point begins it. A framework's point, which runs inside, finds it and only adds the route; where the server
has no hook, or a test client calls the application itself, the framework's point is the one that begins it.
"""

from __future__ import annotations

import re
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final

from msgtrace.context import CURRENT, Handling
from msgtrace.hook import Late
from msgtrace.ignoring import ignored
from msgtrace.native import MAX_FAILURES
from msgtrace.probe import Probe, outcome_of
from msgtrace.recorder import described
from msgtrace.records import CAUSE_ENDED, COMPLETE

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

    from msgtrace.context import Cause
    from msgtrace.hook import Trigger
    from msgtrace.records import Facts, Message


class Request(Handling):
    """A request while it is answered.

    Attributes:
        path: as it was asked for.
        prefix: template of the mount points passed so far.
        route: template of the route found so far; '' while there is none.
        status: of the response, once it has begun.
        error: type and text of what the application raised.
    """

    __slots__ = ("error", "path", "prefix", "route", "status")

    def __init__(self, sequence: int, path: str) -> None:
        super().__init__(sequence)
        self.path = path
        self.prefix = ""
        self.route = ""
        self.status = 0
        self.error: tuple[str, str] | None = None

    def routed(self, template: str, path: str = "") -> None:
        """A route was found.

        Args:
            template: as the router has it, below what it is mounted at.
            path: what was left of the request's path there, if known.
        """
        prefix = self.prefix
        if not prefix and path and self.path.endswith(path):
            prefix = self.path[: -len(path)]
        self.route = prefix + template

    def mounted(self, template: str) -> None:
        """The request goes on to an application that is mounted at a path."""
        self.prefix += template
        self.route = self.prefix + "/{path}"

    def answered(self, status: Any) -> None:
        """The response begins: with a number, or a WSGI status line."""
        if isinstance(status, str):
            status = status[:3]
            status = int(status) if status.isdecimal() else 0
        self.status = int(status)

    def failed(self, error: BaseException | None) -> None:
        """The application raised. Only text is kept."""
        if error is not None:
            self.error = described(error)


def current() -> Request | None:
    """The request that is being answered here, if any."""
    cause = CURRENT.get()
    if cause is None:
        return None
    found = cause if type(cause) is Request else cause.scope
    return found if type(found) is Request and not found.state & CAUSE_ENDED else None


# ---- what a point reads ----------------------------------------------------------------------------------------------


def message(method: Any, path: Any) -> Message | None:
    """What is recorded of a request: never its query, its headers or its body."""
    if type(method) is not str or type(path) is not str:
        return None
    # Not interned: a path may hold an id, and there is no end of those.
    return {"channel": path.partition("?")[0] or "/", "channel_kind": "route", "routing_key": method}


def of_scope(scope: Any) -> Message | None:
    """A request as ASGI describes it; None for a lifespan and a WebSocket."""
    if scope["type"] != "http":
        return None
    path, root = scope["path"], scope.get("root_path") or ""
    # https://asgi.readthedocs.io/en/latest/specs/www.html: `path` begins with the place that a proxy mounts us at.
    return message(scope["method"], path[len(root) :] if root and path.startswith(root) else path)


def of_environ(environ: Any) -> Message | None:
    """A request as WSGI describes it."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return message(environ.get("REQUEST_METHOD"), decoded(path))


def of_target(method: Any, target: Any) -> Message | None:
    """A request as its first line has it: percent-encoded, with its query."""
    if type(target) is not str:
        return None
    from urllib.parse import unquote  # noqa: PLC0415 - every server has loaded it

    path = target.partition("?")[0]
    if "://" in path:  # a proxy may ask with the whole address
        path = "/" + path.partition("://")[2].partition("/")[2]
    return message(method, unquote(path))


def decoded(path: str) -> str:
    """A path out of an environ: UTF-8 in the guise of Latin-1 (PEP 3333)."""
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def nothing(*_args: Any, **_kwargs: Any) -> None:
    """Reads nothing: for a point that only adds to a request that another began."""
    return


def saw_error(request: Request, error: BaseException | None, *_call: Any, **_kwargs: Any) -> None:
    """For `Trigger.learned`: what the application raised, whether or not the server swallows it."""
    request.failed(error)


def saw_status(status: Any) -> None:
    """The response of the request that is being answered begins."""
    request = current()
    if request is not None:
        request.answered(status)


def _start_response(_result: Any, _self: Any, status: Any, _headers: Any = None, exc_info: Any = None) -> None:
    saw_status(status)
    request = current() if exc_info else None
    if request is not None:
        request.failed(exc_info[1])


def _send(_result: Any, _self: Any, event: Any) -> None:
    if event is not None and event["type"] == "http.response.start":
        saw_status(event["status"])


STARTS_RESPONSE: Final = Late(kind="trigger", read=_start_response, before=True)
"""At a server's `start_response`."""
SENDS: Final = Late(kind="trigger", read=_send, before=True)
"""At a server's ASGI `send`."""


_GROUP: Final = re.compile(r"\(\?P<(\w+)>|\(\?:|\(")
_CONVERTED: Final = re.compile(r"<(?:[^<>]*:)?\s*([A-Za-z_]\w*)>")


def template(rule: str) -> str:
    r"""A route in the neutral form, its parameters in braces.

    Args:
        rule: as Flask and Django write them, with converters or as a regular expression.

    >>> template("/orders/<int:order_id>/items/<path:rest>")
    '/orders/{order_id}/items/{rest}'
    >>> template(r"^blog/(?P<year>[0-9]{4})/(\w+)/$")
    '/blog/{year}/{2}/'
    """
    if "(" in rule and "<any(" not in rule:
        rule = _without_groups(rule)
    rule = _CONVERTED.sub(r"{\1}", rule)
    rule = rule.replace("^", "").replace("$", "").replace("\\Z", "").replace("\\", "")
    return rule if rule.startswith("/") else "/" + rule


def _without_groups(rule: str) -> str:
    """A regular expression with every outermost group replaced by its name, or its number."""
    kept, position, number = "", 0, 0
    while (group := _GROUP.search(rule, position)) is not None:
        depth, end, escaped, in_class = 1, group.end(), False, False
        while end < len(rule) and depth:
            letter = rule[end]
            if not escaped and (in_class or letter in "[]"):
                in_class = letter != "]"
            elif not escaped:
                depth += (letter == "(") - (letter == ")")
            escaped = letter == "\\" and not escaped
            end += 1
        number += group[0] != "(?:"
        name = group[1] or ("" if group[0] == "(?:" else str(number))
        kept += rule[position : group.start()] + (f"{{{name}}}" if name else "")
        position = end
        if position < len(rule) and rule[position] in "?*+":
            position += 1
    return kept + rule[position:]


# ---- around the call -----------------------------------------------------------------------------------------------


def trigger(original: Callable[..., Any], probe: Probe, action: Trigger) -> Callable[..., Any]:
    """The replacement of a function in which a request is answered."""

    def answering(*args: Any, **kwargs: Any) -> Any:
        request, token = _enter(probe, action, args, kwargs)
        if request is None:
            return original(*args, **kwargs)
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            _exit(probe, action, request, token, error, None, args, kwargs)
            raise
        _exit(probe, action, request, token, None, result, args, kwargs)
        return result

    return answering


def async_trigger(original: Callable[..., Any], probe: Probe, action: Trigger) -> Callable[..., Any]:
    """The replacement of a coroutine function in which a request is answered.

    The program's coroutine is made by the call, not when it is awaited: a call with wrong arguments fails at once, by
    which uvicorn tells an application from a factory of applications.
    """

    async def answer(answering: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        request, token = _enter(probe, action, args, kwargs)
        if request is None:
            return await answering
        try:
            result = await answering
        except BaseException as error:
            _exit(probe, action, request, token, error, None, args, kwargs)
            raise
        _exit(probe, action, request, token, None, result, args, kwargs)
        return result

    def call(*args: Any, **kwargs: Any) -> Any:
        return answer(original(*args, **kwargs), args, kwargs)

    return call


def _enter(
    probe: Probe, action: Trigger, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Request | None, Token[Cause | None] | None]:
    """The request, and what to leave it with if it begins here."""
    if probe.failures >= MAX_FAILURES or ignored():
        return None, None
    try:
        known = None if action.server else current()
        if known is not None:
            return known, None
        if not probe.recorder.mine[0]:
            probe.recorder.adopt()
        read = action.read(*args, **kwargs)
        if read is None:
            return None, None
        # A server is asked from outside, whatever the context of its loop or of the connection's last request says.
        depth, causes = (0, ()) if action.server else (2, None)
        request = Request(probe.begin(read, depth, causes), str(read.get("channel", "")))
        return request, CURRENT.set(request)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return None, None


def _exit(
    probe: Probe,
    action: Trigger,
    request: Request,
    token: Token[Cause | None] | None,
    error: BaseException | None,
    result: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    try:
        if action.learned is not None:
            action.learned(request, error, result, *args, **kwargs)
        if token is not None:
            _complete(probe, request, error)
    except Exception as ours:  # noqa: BLE001 - the contract with the host program
        probe.failed(ours)
    if token is not None:
        request.ended()
        try:
            CURRENT.reset(token)
        except ValueError:
            return  # closed from another context than it ran in; ended all the same


def _complete(probe: Probe, request: Request, error: BaseException | None) -> None:
    recorder = probe.recorder
    if not recorder.mine[0]:
        return  # begun by the parent, which completes it
    outcome = "ok"
    # gunicorn's workers raise StopIteration to close the connection.
    if error is not None and not isinstance(error, StopIteration):
        outcome = outcome_of(error)
        request.failed(error)
    elif request.error is not None:
        outcome = "raised"
    facts: Facts = {}
    if request.route:
        facts["channel"] = request.route
    if request.status:
        facts["settings"] = {"status": request.status}
    told = request.error or (None, None)
    recorder.write(recorder.encode((COMPLETE, request.sequences, monotonic_ns(), outcome, *told, facts or None)))
