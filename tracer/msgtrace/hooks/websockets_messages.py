"""WebSocket messages as operations, and what every operation says of its connection: for the websockets hook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from msgtrace import interning
from msgtrace.hooks.websockets_conversation import OPEN, Conversation, Pieces, connection_of, conversation

if TYPE_CHECKING:
    from msgtrace.hooks.websockets_conversation import Arriving
    from msgtrace.records import Message

PAYLOADS: Final = frozenset({bytes, bytearray, memoryview})
"""What the protocol takes as the payload of a frame."""


# ---- the connection ----------------------------------------------------------------------------------------


def about(protocol: Any, talk: Conversation) -> Message:
    """What every operation on a connection says."""
    if talk.process is not interning.process():
        talk.about = {
            "channel": interning.text(talk.path),
            "channel_kind": "connection",
            "connection": interning.connection(protocol, facts),
        }
        talk.process = interning.process()
    return {**talk.about}


def facts(protocol: Any) -> dict[str, Any]:
    """A connection, as it is described once."""
    connection = connection_of(protocol)
    client = protocol.side in {1, "client"}
    uri = getattr(protocol, "uri", None) or getattr(protocol, "wsuri", None)  # its name before 15
    address: Any
    if uri is not None:
        address, tls = (uri.host, uri.port), uri.secure
    elif client:
        # Not the legacy properties of these names: they warn of their deprecation.
        address, tls = (protocol._host, protocol._port), protocol._secure  # noqa: SLF001
    else:
        address, tls = _listening(connection)
        address = address or _host(conversation(protocol).request.get("host"))
    known: dict[str, Any] = {"role": "client" if client else "server", "tls": bool(tls)}
    if type(address) is str:
        known["server_address"] = address
    elif type(address) is tuple and len(address) >= 2 and type(address[0]) is str:
        known["server_address"], known["server_port"] = address[0], address[1]
    subprotocol = getattr(protocol, "subprotocol", None)
    if type(subprotocol) is str:
        known["subprotocol"] = subprotocol
    return known


def _listening(connection: Any) -> tuple[Any, bool]:
    """A server's own end: its address, and whether TLS is spoken there."""
    transport = getattr(connection, "transport", None)
    if transport is not None:
        return transport.get_extra_info("sockname"), transport.get_extra_info("sslcontext") is not None
    stream = getattr(connection, "socket", None) or getattr(connection, "stream", None)
    socket = getattr(stream, "transport_stream", stream)  # of trio's SSLStream
    socket = getattr(socket, "socket", socket)
    try:
        address = None if socket is None else socket.getsockname()
    except OSError:  # closed by now
        address = None
    return address, hasattr(stream, "getpeercert") or hasattr(stream, "transport_stream")


def _host(value: Any) -> Any:
    """What a Host header names: where a client found the server of a program that accepts connections itself."""
    if type(value) is not str:
        return None
    parts = urlsplit(f"//{value}")
    try:
        port = parts.port
    except ValueError:  # no number
        port = None
    return (parts.hostname, port) if port else parts.hostname


# ---- messages ----------------------------------------------------------------------------------------------


def sent(protocol: Any, data: Any, final: bool, text: bool) -> Message | None:
    """A message, or its first fragment, that has been handed to the protocol; or was refused by it."""
    talk = conversation(protocol)
    if protocol.state != OPEN or talk.outgoing is not None or type(data) not in PAYLOADS:
        return unsent(protocol, talk, data, text)
    if not final:
        talk.outgoing = Pieces(text=text)
        talk.outgoing.add(data)
        return None
    talk.sent += 1
    return message_of(protocol, talk, data, text, talk.sending, talk.sent)


def continued(protocol: Any, data: Any, final: bool) -> Message | None:
    """A message's further fragment; the last makes the message."""
    talk = conversation(protocol)
    pieces = talk.outgoing
    if pieces is None or protocol.state != OPEN or type(data) not in PAYLOADS:
        return None
    pieces.add(data)
    if not final:
        return None
    talk.outgoing = None
    talk.sent += 1
    return assembled(protocol, talk, pieces, talk.sending, talk.sent)


def unsent(protocol: Any, talk: Conversation, data: Any, text: bool) -> Message:
    """A message that did not reach the protocol, and has no number."""
    if type(data) is str:
        data, text = data.encode("utf-8", "replace"), True
    if type(data) in PAYLOADS:
        return message_of(protocol, talk, data, text, "", 0)
    return about(protocol, talk)


def taken(protocol: Any, data: Any) -> Message | None:
    """The next message of a connection, now the program's."""
    if type(data) is not str and type(data) is not bytes:
        return None
    talk = conversation(protocol)
    arrived: Arriving | None = talk.arrived.popleft() if talk.arrived else None
    talk.received += 1
    # `decode` may have made bytes of what the peer marked as text, and the reverse.
    text = type(data) is str if arrived is None else arrived.text
    if text and type(data) is str and len(data) <= interning.settings.body_limit // 4:
        message = about(protocol, talk)
        message["body"] = data
        if talk.receiving:
            message["identity"] = f"{talk.receiving}{talk.received}"
    else:
        payload = data.encode() if type(data) is str else data
        message = message_of(protocol, talk, payload, text, talk.receiving, talk.received)
    if arrived is not None and arrived.frames > 1:
        message["settings"] = {"fragments": arrived.frames}
    return message


def message_of(protocol: Any, talk: Conversation, data: Any, text: bool, name: str, number: int) -> Message:
    """A message in one piece; `name` is that of its direction, "" if its number is not known."""
    if type(data) is memoryview:
        data = bytes(data)
    limit = interning.settings.body_limit
    size = len(data)
    cut = size > limit
    message = about(protocol, talk)
    message["body"] = _body(data[:limit] if cut else data, cut=cut) if text else data[:limit] if cut else data
    if cut:
        message["body_size"] = size
    if name:
        message["identity"] = f"{name}{number}"
    return message


def assembled(protocol: Any, talk: Conversation, pieces: Pieces, name: str, number: int) -> Message:
    """A message that came in fragments."""
    message = about(protocol, talk)
    cut = pieces.size > len(pieces.kept)
    message["body"] = _body(pieces.kept, cut=cut) if pieces.text else pieces.kept
    if cut:
        message["body_size"] = pieces.size
    if pieces.count > 1:
        message["settings"] = {"fragments": pieces.count}
    if name:
        message["identity"] = f"{name}{number}"
    return message


def _body(kept: Any, *, cut: bool) -> str | bytes | bytearray:
    """A payload that is marked as text; what isn't text in spite of that remains as bytes."""
    try:
        return str(kept, "utf-8", "ignore" if cut else "strict")
    except UnicodeDecodeError:
        return kept  # type: ignore[no-any-return]  # the library takes nothing but bytes-like payloads
