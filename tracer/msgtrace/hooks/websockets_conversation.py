"""What one end of a WebSocket connection has counted so far: numbers, identities, and messages that come in pieces.

Pure: no operation is recorded here. Both ends of a connection count its messages from 1, each direction by itself and
control frames not at all, so that both call a message by the same name.
"""

from __future__ import annotations

import functools
import hashlib
from collections import deque
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from msgtrace import interning

if TYPE_CHECKING:
    from msgtrace.records import Message

TEXT: Final = 1
BINARY: Final = 2
CONTINUATION: Final = 0
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10
"""Opcodes: RFC 6455, section 5.2."""

CONNECTING: Final = 0
OPEN: Final = 1
"""`websockets.protocol.State`"""

SWITCHING_PROTOCOLS: Final = 101
"""HTTP's status of a handshake that was accepted."""


class Arriving:
    """A message whose frames have begun to arrive, and which the program has not taken yet."""

    __slots__ = ("ended", "frames", "text")

    def __init__(self, *, text: bool, ended: bool) -> None:
        self.text = text
        self.ended = ended
        self.frames = 1


_WHOLE: Final = {TEXT: Arriving(text=True, ended=True), BINARY: Arriving(text=False, ended=True)}


class Pieces:
    """A fragmented message: a copy of its beginning, up to the body limit, and the size of all of it."""

    __slots__ = ("count", "kept", "size", "text")

    def __init__(self, *, text: bool) -> None:
        self.text = text
        self.kept = bytearray()
        self.size = 0
        self.count = 0

    def add(self, data: Any) -> None:
        """Take one piece: text, or anything with a buffer."""
        if type(data) is str:
            data = data.encode()
        room = interning.settings.body_limit - len(self.kept)
        if room > 0:
            self.kept += data[:room]
        self.size += len(data)
        self.count += 1


class Conversation:
    """One connection as one of its ends counts it.

    Attributes:
        path: the request's path without its query; "" if the handshake was not seen.
        sending: what the identities of the messages sent begin with; "" if they were not counted from the first.
        receiving: the same for messages received.
        sent: messages sent.
        received: messages that the program has taken.
        arrived: messages that the library has and the program has not.
        outgoing: the fragmented message that is being sent.
        incoming: the fragmented message that the program is taking piece by piece.
        request: facts of the handshake's request, until it is answered.
        status: HTTP status of the handshake's answer; 0 before.
        closing: this end's close frame has been recorded.
        closed: the end of the connection has been recorded.
        about: what every operation on the connection says, with numbers that hold in `process`.
        process: see there; None while nothing has been recorded.
        handed_on: whether what arrives is handed on by a library's own connection; None while that is not known.
    """

    __slots__ = (
        "about",
        "arrived",
        "closed",
        "closing",
        "handed_on",
        "incoming",
        "outgoing",
        "path",
        "process",
        "received",
        "receiving",
        "request",
        "sending",
        "sent",
        "status",
    )

    def __init__(self, path: str = "", key: str = "", *, client: bool = False) -> None:
        self.path = path
        name = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16] if key else ""
        ours, theirs = ("c2s", "s2c") if client else ("s2c", "c2s")
        self.sending = f"ws:{name}:{ours}:" if name else ""
        self.receiving = f"ws:{name}:{theirs}:" if name else ""
        self.sent = self.received = self.status = 0
        self.arrived: deque[Arriving] = deque()
        self.outgoing: Pieces | None = None
        self.incoming: Pieces | None = None
        self.request: dict[str, Any] = {}
        self.closing = self.closed = False
        self.about: Message = {}
        self.process: bytes | None = None
        self.handed_on: bool | None = None

    def arrive(self, opcode: int, final: bool) -> None:
        """Count a data frame that the library will hand to the program."""
        if opcode != CONTINUATION:
            self.arrived.append(_WHOLE[opcode] if final else Arriving(text=opcode == TEXT, ended=False))
        elif self.arrived:
            last = self.arrived[-1]
            last.frames += 1
            last.ended = final


_conversations: dict[int, tuple[ref[Any], Conversation]] = {}
"""Identity of a protocol -> the protocol and its conversation. By identity, which costs a third of a weak dictionary."""


def begin(protocol: Any, path: str, key: str, *, client: bool) -> Conversation:
    """The conversation of a connection whose handshake is being seen."""
    return _remembered(protocol, Conversation(path.partition("?")[0], key, client=client))


def conversation(protocol: Any) -> Conversation:
    """The conversation of a connection; one without identities, if it had begun before it was hooked."""
    known = _conversations.get(id(protocol))
    if known is not None and known[0]() is protocol:
        return known[1]
    found = Conversation(_path(protocol))
    found.status = SWITCHING_PROTOCOLS
    return _remembered(protocol, found)


def _remembered(protocol: Any, talk: Conversation) -> Conversation:
    _conversations[id(protocol)] = (ref(protocol, functools.partial(_forget, id(protocol))), talk)
    return talk


def _forget(identity: int, dead: ref[Any]) -> None:
    known = _conversations.get(identity)
    if known is not None and known[0] is dead:
        del _conversations[identity]


def _path(protocol: Any) -> str:
    request = getattr(connection_of(protocol), "request", None)
    path = getattr(request, "path", None) or getattr(protocol, "path", None)
    return path.partition("?")[0] if type(path) is str else ""


def connection_of(protocol: Any) -> Any:
    """The library's own connection around a sans-I/O protocol; None if the program drives the protocol itself.

    Its logger tells: https://websockets.readthedocs.io/en/stable/topics/logging.html
    """
    extra = getattr(getattr(protocol, "logger", None), "extra", None)
    return extra.get("websocket") if type(extra) is dict else None
