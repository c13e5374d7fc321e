"""websockets: messages, handshakes, closings and pings, with asyncio, threads, trio, sans-I/O and the legacy interface.

Wrapped: the sans-I/O `Protocol` that every kind of connection writes through (`broadcast` too, which goes past
`Connection.send`), and `recv` and `recv_streaming`, where the program gets a message. A message in fragments is one
operation, recorded with its last fragment. `Protocol.events_received` counts what arrives, and is itself the receive
of a program that drives the protocol; uvicorn drives it for ASGI applications, which receive in its `receive`.

Not seen: messages that the program never takes (the closing says how many were left), and connections that failed
before the handshake, but for the asyncio client. See docs/hooks/websockets.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace.hook import Fetch, Found, Hook, Observe, Point, Send
from msgtrace.hooks import websockets_legacy as legacy
from msgtrace.hooks import websockets_messages as messages
from msgtrace.hooks import websockets_opening as opening
from msgtrace.hooks.websockets_conversation import (
    BINARY,
    CLOSE,
    CONTINUATION,
    OPEN,
    TEXT,
    Conversation,
    Pieces,
    connection_of,
    conversation,
)

if TYPE_CHECKING:
    from msgtrace.records import Message

UVICORNS_LOGGER: Final = "uvicorn.error"
"""Given by uvicorn to its protocols, whose messages it hands on."""


# ---- sending -----------------------------------------------------------------------------------------------
# The protocol only appends to a buffer, which its caller writes afterwards: what is recorded after the call is still
# recorded before the peer can see it.


def text_sent(_result: Any, self: Any, data: Any, fin: bool = True) -> Message | None:
    """`Protocol.send_text`."""
    return messages.sent(self, data, fin, True)


def binary_sent(_result: Any, self: Any, data: Any, fin: bool = True) -> Message | None:
    """`Protocol.send_binary`."""
    return messages.sent(self, data, fin, False)


def continuation_sent(_result: Any, self: Any, data: Any, fin: bool) -> Message | None:
    """`Protocol.send_continuation`."""
    return messages.continued(self, data, fin)


def refused(self: Any, message: Any, **_options: Any) -> Message | None:
    """`Connection.send` on a connection that is not open, which does not reach the protocol; else None."""
    protocol = self.protocol
    return None if protocol.state == OPEN else messages.unsent(protocol, conversation(protocol), message, False)


# ---- receiving ---------------------------------------------------------------------------------------------


def received(result: Any, self: Any, *_options: Any, **_named: Any) -> Message | None:
    """`Connection.recv`: the program has a message."""
    return messages.taken(self.protocol, result)


def streamed(item: Any, self: Any, *_options: Any, **_named: Any) -> Message | None:
    """`Connection.recv_streaming`: the program has a fragment, with the last one the message."""
    talk = conversation(self.protocol)
    if not talk.arrived:
        return None  # the message had begun before the connection was hooked
    arrived = talk.arrived[0]
    if talk.incoming is None:
        talk.incoming = Pieces(text=arrived.text)
    talk.incoming.add(item)
    if not arrived.ended or talk.incoming.count < arrived.frames:
        return None
    talk.arrived.popleft()
    return _complete(self.protocol, talk, talk.incoming)


def driven(self: Any) -> bool:
    """Whether a call of `Protocol.events_received` is the program's. What goes to those who hand it on is counted."""
    arrived = self.events
    if not arrived:
        return False
    talk = conversation(self)
    for event in arrived:
        opcode = getattr(event, "opcode", None)
        if opcode is None:
            talk = opening.requested(self, event) or talk
        elif opcode <= BINARY and _handed_on(self, talk):
            talk.arrive(opcode, event.fin)
    return not _handed_on(self, talk)


def _handed_on(protocol: Any, talk: Conversation) -> bool:
    known = talk.handed_on
    if known is None:
        uvicorns = getattr(protocol.logger, "name", "") == UVICORNS_LOGGER
        known = talk.handed_on = uvicorns or connection_of(protocol) is not None
    return known


def events(result: Any, self: Any) -> list[Message]:
    """`Protocol.events_received` of a program that drives the protocol."""
    talk = conversation(self)
    found = [_fed(self, talk, each) for each in result if getattr(each, "opcode", CLOSE) <= BINARY]
    return [message for message in found if message is not None]


def _fed(protocol: Any, talk: Conversation, frame: Any) -> Message | None:
    if frame.opcode != CONTINUATION:
        if frame.fin:
            talk.received += 1
            return messages.message_of(protocol, talk, frame.data, frame.opcode == TEXT, talk.receiving, talk.received)
        talk.incoming = Pieces(text=frame.opcode == TEXT)
    if talk.incoming is None:
        return None  # as above
    talk.incoming.add(frame.data)
    return _complete(protocol, talk, talk.incoming) if frame.fin else None


def _complete(protocol: Any, talk: Conversation, pieces: Pieces) -> Message:
    talk.incoming = None
    talk.received += 1
    return messages.assembled(protocol, talk, pieces, talk.receiving, talk.received)


def passed_on(result: Any, self: Any) -> Message | None:
    """`receive` of uvicorn: the application has a message."""
    if type(result) is not dict or result.get("type") != "websocket.receive":
        return None
    text = result.get("text")
    return messages.taken(self.conn, result.get("bytes") if text is None else text)


# ---- the table ---------------------------------------------------------------------------------------------

_RECEIVE: Final = Fetch(read=received)
_STREAM: Final = Fetch(read=streamed, parts=True)
_REFUSED: Final = Send(read=refused)
_OPENED: Final = Observe(kind="connect", read=opening.opened)
_CLOSING: Final = Observe(kind="connect", read=opening.closing)
_UNREACHABLE: Final = Observe(kind="connect", read=opening.unreachable)
_PROTOCOL: Final = "websockets.protocol:Protocol."
_CLIENT: Final = "websockets.client:ClientProtocol."
_CONNECT: Final = "websockets.asyncio.client:connect."
_UVICORN: Final = "uvicorn.protocols.websockets.websockets_sansio_impl:WebSocketsSansIOProtocol."


def _connections(kind: str) -> tuple[Point, ...]:
    connection = f"websockets.{kind}.connection:Connection."
    return (
        Point(connection + "recv", _RECEIVE),
        Point(connection + "recv_streaming", _STREAM),
        Point(connection + "send", _REFUSED),
        Point(f"websockets.{kind}.client:ClientConnection.handshake", _OPENED),
    )


HOOK = Hook(
    library="websockets",
    system="websocket",
    distribution="websockets",
    versions=">=13,<18",
    points=(
        Point(_PROTOCOL + "send_text", Observe(kind="send", read=text_sent)),
        Point(_PROTOCOL + "send_binary", Observe(kind="send", read=binary_sent)),
        Point(_PROTOCOL + "send_continuation", Observe(kind="send", read=continuation_sent)),
        Point(_PROTOCOL + "events_received", Fetch(read=events, when=driven)),
        Point(_PROTOCOL + "send_ping", Observe(kind="call", read=opening.pinged)),
        Point(_PROTOCOL + "send_pong", Observe(kind="call", read=opening.ponged)),
        Point(_PROTOCOL + "send_close", _CLOSING),
        Point(_PROTOCOL + "fail", _CLOSING),
        Point(_PROTOCOL + "send_eof", Observe(kind="connect", read=opening.ended)),
        Point(_CLIENT + "send_request", Observe(kind="connect", read=opening.asked)),
        Point(_CLIENT + "process_response", Observe(kind="connect", read=opening.answered)),
        Point("websockets.server:ServerProtocol.send_response", opening.RESPONDED),
        *_connections("asyncio"),
        *_connections("sync"),
        *_connections("trio"),
        Point(_CONNECT + "create_connection", _UNREACHABLE, versions="<17"),
        Point(_CONNECT + "open_tcp_connection", _UNREACHABLE, versions=">=17"),
        Point(_UVICORN + "receive", Fetch(read=passed_on)),
        *legacy.POINTS,
    ),
    found=(Found("websockets.protocol:Protocol", "connect", opening.found),),
)
