"""An HTTP request that the program makes, as its client's hook records it: where it goes and how it ends, nothing it carries.

Never a query string, user info, a header or a body; of an exception its type and what caused it, because the texts of
clients' exceptions hold whole addresses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote  # every client has loaded it

from msgtrace import interning

if TYPE_CHECKING:
    from msgtrace.records import Facts, Message

LONGEST_PATH: Final = 2_000
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_PLACE: Final = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::([0-9]*))?")


def called(method: Any, scheme: Any, host: Any, port: Any, path: Any) -> Message | None:
    """What is recorded of a request; None for what is none.

    Args:
        method: as the program has it; a member of `http.HTTPMethod` is a text too.
        scheme: `http` or `https`.
        host: name or address, without brackets.
        port: None for the scheme's own.
        path: percent-encoded or not; a query after it is cut off.
    """
    if not (isinstance(method, str) and isinstance(host, str) and isinstance(path, str) and isinstance(scheme, str)):
        return None
    text = str.__str__
    scheme, host = text(scheme), text(host)
    path = re.split("[?#]", text(path), maxsplit=1)[0]
    if type(port) is not int:
        port = _DEFAULT_PORTS.get(scheme, 0)
    if "%" in path:
        path = unquote(path)
    # Not interned: a path may hold an id, and there is no end of those.
    message: Message = {
        "channel": path[:LONGEST_PATH] or "/",
        "channel_kind": "route",
        "routing_key": text(method).upper(),
    }
    number = interning.server(host, port, tls=scheme in {"https", "wss"})
    if number:
        message["connection"] = number
    else:  # a crawler's ten thousands of hosts
        message["settings"] = {"server": f"{host}:{port}"}
    return message


def called_at(method: Any, address: str) -> Message | None:
    """The same of a whole address, e.g. of what a proxy is asked for."""
    scheme, _, rest = address.partition("://")
    place, slash, path = re.split("[?#]", rest, maxsplit=1)[0].partition("/")
    host, port = host_and_port(place)
    return called(method, scheme, host, port, slash + path)


def host_and_port(place: str) -> tuple[str, int | None]:
    """The parts of `user:secret@host:port`, without the first.

    >>> host_and_port("ann:secret@[::1]:8080"), host_and_port("example.org")
    (('::1', 8080), ('example.org', None))
    """
    found = _PLACE.match(place.rpartition("@")[2])
    if found is None:
        return "", None
    return found[1] or found[2] or "", int(found[3]) if found[3] else None


def answered(status: Any, **more: Any) -> Facts | None:
    """What the head of a response makes known."""
    return {"settings": {"status": status, **more}} if type(status) is int else None


def told(error: BaseException, *_call: Any, **_named: Any) -> Facts:
    """What is told of an exception in place of its text: its type, and the types and system error that it stands for.

    For `Send.failed`. Reads what exceptions have of themselves, and calls nothing of them.
    """
    types: list[str] = []
    system = ""
    inner: BaseException | None = error
    while inner is not None and len(types) < 6:
        types.append(_type(inner))
        if isinstance(inner, OSError):
            text = vars(OSError)["strerror"].__get__(inner)
            system = text if type(text) is str and "/" not in text else system
        inner = _inside(inner)
    known = ", ".join(each.rpartition(".")[2] for each in types[1:])
    return {"error": (types[0], ": ".join(each for each in (known, system) if each))}


def _type(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def _inside(error: BaseException) -> BaseException | None:
    """What an exception stands for: as urllib and urllib3 say it, or as `raise from` does."""
    reason = error.__dict__.get("reason")
    if isinstance(reason, BaseException):
        return reason
    if error.__cause__ is not None:
        return error.__cause__
    arguments = vars(BaseException)["args"].__get__(error)
    return next((each for each in arguments if isinstance(each, BaseException)), None)
