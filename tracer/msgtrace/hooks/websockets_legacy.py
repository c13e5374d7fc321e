"""The legacy implementation of websockets, where a connection is its own protocol: a part of the websockets hook.

Every frame is written by `write_frame_sync`, those of `broadcast` too; a message is taken with `recv`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace.hook import Fetch, Observe, Point, Send
from msgtrace.hooks import websockets_messages as messages
from msgtrace.hooks import websockets_opening as opening
from msgtrace.hooks.websockets_conversation import (
    BINARY,
    CLOSE,
    CONTINUATION,
    OPEN,
    PING,
    PONG,
    SWITCHING_PROTOCOLS,
    TEXT,
    begin,
    conversation,
)

if TYPE_CHECKING:
    from msgtrace.records import Message


# ---- frames ------------------------------------------------------------------------------------------------


def sent(_result: Any, self: Any, fin: bool, opcode: int, data: Any) -> Message | None:
    """`write_frame_sync` of a data frame."""
    if opcode == CONTINUATION:
        return messages.continued(self, data, fin)
    return messages.sent(self, data, fin, opcode == TEXT)


def controlled(_result: Any, self: Any, _fin: bool, opcode: int, data: Any) -> Message | None:
    """`write_frame_sync` of a ping or pong."""
    return opening.control(self, "ping" if opcode == PING else "pong", data)


def received(result: Any, self: Any) -> Message | None:
    """`recv`."""
    return messages.taken(self, result)


def refused(self: Any, message: Any) -> Message | None:
    """`send` on a connection that is not open; else None, the frame is recorded."""
    return None if self.state == OPEN else messages.unsent(self, conversation(self), message, False)


# ---- the handshake and the end -----------------------------------------------------------------------------


def asked(_result: Any, self: Any, path: str, headers: Any) -> None:
    """`write_http_request`: a client's conversation begins."""
    _begin(self, path, headers, client=True)


def was_asked(result: Any, self: Any) -> None:
    """`read_http_request`: a server's conversation begins."""
    if result is not None:
        _begin(self, *result, client=False)


def _begin(protocol: Any, path: str, headers: Any, *, client: bool) -> None:
    talk = begin(protocol, path, opening.key_of(headers), client=client)
    talk.request = opening.request_of(path, headers)


def answered(result: Any, self: Any) -> None:
    """`read_http_response`: the status is kept nowhere else."""
    if result is not None:
        conversation(self).status = result[0]


def opened(_result: Any, self: Any, *_arguments: Any, **_named: Any) -> Message:
    """`WebSocketClientProtocol.handshake`, whatever came of it."""
    talk = conversation(self)
    status, headers = talk.status, getattr(self, "response_headers", None)
    failed = not status or (status == SWITCHING_PROTOCOLS and self.state != OPEN)
    if failed:
        talk.status = 0
    message = messages.about(self, talk)
    message["settings"] = opening.handshake_settings(talk, status or None, headers, failed=failed)
    return message


def responded(_result: Any, self: Any, status: Any, headers: Any, _body: Any = None) -> Message:
    """`write_http_response`: accepted, or refused by the library or the program."""
    talk = conversation(self)
    talk.status = int.__int__(status)
    message = messages.about(self, talk)
    message["settings"] = opening.handshake_settings(talk, talk.status, headers, failed=False)
    return message


def ended(_result: Any, self: Any, _error: Any) -> Message | None:
    """`connection_lost`."""
    talk = conversation(self)
    if talk.status != SWITCHING_PROTOCOLS or talk.closed:
        return None
    return opening.closed(self, talk, len(self.messages))


_SENT: Final = Observe(kind="send", read=sent)
_CONTROLLED: Final = Observe(kind="call", read=controlled)
_COMMON: Final = "websockets.legacy.protocol:WebSocketCommonProtocol."
_CLIENT: Final = "websockets.legacy.client:WebSocketClientProtocol."
_SERVER: Final = "websockets.legacy.server:WebSocketServerProtocol."

POINTS: Final = (
    Point(
        _COMMON + "write_frame_sync",
        argument=2,
        table={
            CONTINUATION: _SENT,
            TEXT: _SENT,
            BINARY: _SENT,
            PING: _CONTROLLED,
            PONG: _CONTROLLED,
            CLOSE: Observe(kind="connect", read=opening.closing),
        },
    ),
    Point(_COMMON + "recv", Fetch(read=received)),
    Point(_COMMON + "send", Send(read=refused)),
    Point(_COMMON + "connection_lost", Observe(kind="connect", read=ended)),
    Point(_CLIENT + "write_http_request", Observe(kind="connect", read=asked)),
    Point(_CLIENT + "read_http_response", Observe(kind="connect", read=answered)),
    Point(_CLIENT + "handshake", Observe(kind="connect", read=opened)),
    Point(_SERVER + "read_http_request", Observe(kind="connect", read=was_asked)),
    Point(_SERVER + "write_http_response", Fetch(kind="connect", read=responded)),  # as `opening.RESPONDED`
)
