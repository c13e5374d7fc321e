"""How WebSocket connections begin and end, what is known of them, and pings: readers for the websockets hook.

Of a handshake's headers only the names are kept, and the values of those that say how the connection is to work.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from msgtrace import interning
from msgtrace.hook import Fetch
from msgtrace.hooks.websockets_conversation import (
    BINARY,
    CONNECTING,
    SWITCHING_PROTOCOLS,
    TEXT,
    Conversation,
    begin,
    connection_of,
    conversation,
)
from msgtrace.hooks.websockets_messages import about

if TYPE_CHECKING:
    from msgtrace.records import Message

NO_CLOSE_FRAME: Final = 1006
"""RFC 6455, section 7.1.5: the close code when there was no close frame."""

_LIBRARIES: Final = ("websockets.", "uvicorn.")
_UNASKED: Final = frozenset({"keepalive", "keepalive_ping", "send_keepalive_ping", "read_data_frame"})
"""Functions of libraries that ping, or answer pings, on their own."""


# ---- the handshake -----------------------------------------------------------------------------------------


def headers_of(headers: Any) -> dict[str, Any]:
    """What is kept of a request's headers: their names, and the values that say how the connection is to work."""
    names: list[str] = []
    kept: dict[str, Any] = {"headers": names}
    for name, value in headers.raw_items():
        if type(name) is not str:
            continue
        names.append(name)
        field = _KEPT.get(name.lower())
        if field is not None and type(value) is str:
            kept[field] = value
    return kept


_KEPT: Final = {
    "host": "host",
    "origin": "origin",
    "user-agent": "user_agent",
    "sec-websocket-protocol": "offered_subprotocols",
    "sec-websocket-extensions": "offered_extensions",
}


def key_of(headers: Any) -> str:
    """A handshake's key, which both of its ends know; "" if there is none, or several."""
    keys = headers.get_all("Sec-WebSocket-Key")
    return keys[0] if len(keys) == 1 and type(keys[0]) is str else ""


def requested(protocol: Any, event: Any) -> Conversation | None:
    """A server's first event, the request: the conversation begins."""
    path, headers = getattr(event, "path", None), getattr(event, "headers", None)
    if type(path) is not str or headers is None:
        return None
    talk = begin(protocol, path, key_of(headers), client=False)
    talk.request = request_of(path, headers)
    return talk


def request_of(path: str, headers: Any) -> dict[str, Any]:
    """What is kept of a request. Values in its query may be secrets, or say who asks; names are neither."""
    kept = headers_of(headers)
    query = path.partition("?")[2]
    if query:
        kept["query"] = [part.partition("=")[0] for part in query.split("&") if part]
    return kept


def asked(_result: Any, self: Any, request: Any) -> None:
    """`ClientProtocol.send_request`: a client's conversation begins. Recorded when it is answered."""
    talk = begin(self, request.path, key_of(request.headers), client=True)
    talk.request = request_of(request.path, request.headers)


def opened(_result: Any, self: Any, *_options: Any, **_named: Any) -> Message:
    """`ClientConnection.handshake`, whatever came of it."""
    return handshake(self.protocol, self.response)


def answered(_result: Any, self: Any, response: Any) -> Message | None:
    """`ClientProtocol.process_response`: the answer to a program that drives the protocol itself."""
    return handshake(self, response) if connection_of(self) is None else None


def responded(_result: Any, self: Any, response: Any) -> Message:
    """`ServerProtocol.send_response`: accepted, or refused by the library or the program."""
    message = handshake(self, response)
    # Where a router has chosen: https://websockets.readthedocs.io/en/stable/topics/routing.html
    connection = connection_of(self)
    handler, parameters = getattr(connection, "handler", None), getattr(connection, "handler_kwargs", None)
    if handler is not None:
        message["handler"] = interning.handler(handler)
    if type(parameters) is dict and parameters:
        plain = {n: str(v) for n, v in parameters.items() if type(v) in {str, int, float, UUID}}
        message["settings"] = {**message.get("settings", {}), "parameters": plain}
    return message


RESPONDED: Final = Fetch(kind="connect", read=responded)
"""What a handler does before it takes a message follows from the connection, not from what went on where the server was
started, whose context its task is a copy of."""


def handshake(protocol: Any, response: Any) -> Message:
    """A handshake and its answer; None for the answer that never came."""
    talk = conversation(protocol)
    message = about(protocol, talk)
    failed = response is None or (response.status_code == SWITCHING_PROTOCOLS and protocol.handshake_exc is not None)
    status = None if response is None else response.status_code
    headers = None if response is None else response.headers
    message["settings"] = handshake_settings(talk, status, headers, failed=failed)
    return message


def handshake_settings(talk: Conversation, status: int | None, headers: Any, *, failed: bool) -> dict[str, Any]:
    """What is kept of a handshake."""
    event = "failed" if failed else "opened" if status == SWITCHING_PROTOCOLS else "refused"
    settings: dict[str, Any] = {"event": event, "status": status, **talk.request}
    talk.request = {}
    for name, value in () if headers is None else headers.raw_items():
        field = _ANSWERED.get(name.lower()) if type(name) is str else None
        if field is not None and type(value) is str:
            settings[field] = value
    return settings


_ANSWERED: Final = {"sec-websocket-protocol": "subprotocol", "sec-websocket-extensions": "extensions"}


def unreachable(result: Any, self: Any) -> Message | None:
    """`connect.create_connection`, if there came no connection to shake hands on."""
    if result is not None or type(self.uri) is not str:
        return None
    parts = urlsplit(self.uri)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    settings = {"event": "unreachable", "server_address": parts.hostname, "server_port": port}
    return {"channel": interning.text(parts.path or "/"), "channel_kind": "connection", "settings": settings}


def found(protocol: Any) -> Message | None:
    """A connection that is open already."""
    state = protocol.state
    if getattr(state, "name", "") != "OPEN":
        return None
    message = about(protocol, conversation(protocol))
    message["settings"] = {"event": "open"}
    return message


# ---- pings and the end -------------------------------------------------------------------------------------


def pinged(_result: Any, self: Any, data: Any) -> Message | None:
    """`Protocol.send_ping`, unless the library keeps the connection alive."""
    return control(self, "ping", data)


def ponged(_result: Any, self: Any, data: Any) -> Message | None:
    """`Protocol.send_pong`: a pong that nobody asked for."""
    return control(self, "pong", data)


def control(protocol: Any, event: str, data: Any) -> Message | None:
    """A control frame that the program sends; None for one that its libraries do."""
    frame: Any = sys._getframe(1)  # noqa: SLF001 - the documented way to a frame without a traceback
    for _ in range(16):
        if frame is None:
            break
        if frame.f_code.co_name in _UNASKED and frame.f_globals.get("__name__", "").startswith(_LIBRARIES):
            return None
        frame = frame.f_back
    message = about(protocol, conversation(protocol))
    message["settings"] = {"event": event}
    message["body"] = bytes(data) if type(data) in {bytes, bytearray, memoryview} else None
    return message


def closing(_result: Any, self: Any, *_arguments: Any, **_named: Any) -> Message | None:
    """`Protocol.send_close` and `fail`, where this end begins to close."""
    talk, sent = conversation(self), self.close_sent
    if sent is None or talk.closing or talk.closed or self.close_rcvd_then_sent:
        return None
    talk.closing = True
    message = about(self, talk)
    message["settings"] = {"event": "closing", "who": "local", **_close(sent)}
    return message


def ended(_result: Any, self: Any) -> Message | None:
    """`Protocol.send_eof`: called once in the life of a connection, when nothing more can be sent or received on it."""
    talk = conversation(self)
    if self.state == CONNECTING or talk.closed:
        return None
    # What arrived together with the close frame has not been counted yet.
    fresh = sum(getattr(event, "opcode", None) in {TEXT, BINARY} for event in self.events)
    return closed(self, talk, len(talk.arrived) + fresh)


def closed(protocol: Any, talk: Conversation, unread: int) -> Message:
    """The end of a connection: who began it, and what was under way."""
    talk.closed = True
    received, sent = protocol.close_rcvd, protocol.close_sent
    first = received if protocol.close_rcvd_then_sent or sent is None else sent
    if first is None:
        settings: dict[str, Any] = {"event": "closed", "who": "nobody", "code": NO_CLOSE_FRAME, "reason": ""}
    else:
        settings = {"event": "closed", "who": "remote" if first is received else "local", **_close(first)}
    settings["sent_code"] = None if sent is None else _close(sent)["code"]
    settings["received_code"] = None if received is None else _close(received)["code"]
    settings |= {"messages_sent": talk.sent, "messages_received": talk.received}
    if unread:
        settings["unread"] = unread
    if talk.outgoing is not None:
        settings["unfinished"] = talk.outgoing.count
    message = about(protocol, talk)
    message["settings"] = settings
    return message


def _close(close: Any) -> dict[str, Any]:
    reason = close.reason
    return {"code": int.__int__(close.code), "reason": reason if type(reason) is str else ""}
