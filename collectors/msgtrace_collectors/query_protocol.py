"""The bytes on the query socket: one request and its answer per connection. Pure but for `recv` and `sendall`.

A request is a length (u32, little-endian) and a MessagePack map. An answer is a sequence of parts, each a kind (one
byte), a length (u32) and its bytes: DATA parts, which together are one Arrow IPC stream, and then DONE or FAILED. So an
answer that breaks off is never mistaken for a short one.
"""

from __future__ import annotations

import io
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace_collectors.inspection.found import Part  # noqa: TC001 - msgspec reads it
from msgtrace_collectors.trace_file import QueryError, TraceError

if TYPE_CHECKING:
    import socket

DATA: Final = b"D"
DONE: Final = b"Z"
FAILED: Final = b"E"
"""Its bytes are a text for the user."""
MAX_REQUEST_BYTES: Final = 8 << 20

_LENGTH: Final = Struct("<I")
_PART: Final = Struct("<cI")


class Request(msgspec.Struct, frozen=True):
    """What is asked.

    Attributes:
        sql: one statement that reads; None when nothing is asked but `link`.
        parameters: for it.
        settle: first store everything that has been recorded by now.
        link: then bring links, causes and settlements up to date.
        timeout_s: after this the answer is an error.
        part: of an inspection, to be stored.
    """

    sql: str | None
    parameters: list[Any] = []
    link: bool = False
    settle: bool = False
    timeout_s: float = 120.0
    part: Part | None = None


def send_request(connection: socket.socket, request: Request) -> None:
    """Ask.

    Raises:
        QueryError: the request is too large, or a parameter is of a type that can't be sent.
        OSError: the other side is gone.
    """
    try:
        payload = msgspec.msgpack.encode(request)
    except (TypeError, ValueError, OverflowError) as error:
        raise QueryError(f"a parameter can't be sent: {error}") from None
    if len(payload) > MAX_REQUEST_BYTES:
        raise QueryError(f"the question takes {len(payload)} bytes, more than {MAX_REQUEST_BYTES}")
    connection.sendall(_LENGTH.pack(len(payload)) + payload)


def receive_request(connection: socket.socket) -> Request:
    """Be asked.

    Raises:
        QueryError: what came is no request.
        OSError: the other side is gone.
    """
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > MAX_REQUEST_BYTES:
        raise QueryError(f"the question takes {length} bytes, more than {MAX_REQUEST_BYTES}")
    try:
        return msgspec.msgpack.decode(_exactly(connection, length), type=Request)
    except ValueError as error:
        raise QueryError(f"not a question that this collector understands: {error}") from None


def send_part(connection: socket.socket, kind: bytes, content: bytes | memoryview = b"") -> None:
    """Send a part of an answer."""
    connection.sendall(_PART.pack(kind, len(content)))
    if content:
        connection.sendall(content)


class Answer(io.RawIOBase):
    """The DATA parts of an answer as one readable stream.

    Raises:
        QueryError: on reading, when the answer says that the question failed.
        TraceError: on reading, when the collector went away in the middle.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left = 0
        self._done = False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read at most as much as fits."""
        while not self._left:
            if self._done:
                return 0
            self._next_part()
        view = memoryview(buffer).cast("B")
        count = self._connection.recv_into(view, min(len(view), self._left))
        if not count:
            raise TraceError("the collector went away in the middle of an answer; ask again")
        self._left -= count
        return count

    def _next_part(self) -> None:
        kind, length = _PART.unpack(_exactly(self._connection, _PART.size))
        if kind == DATA:
            self._left = length
        elif kind == DONE:
            self._done = True
        else:
            raise QueryError(_exactly(self._connection, length).decode(errors="replace"))


def _exactly(connection: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        piece = connection.recv(min(length - len(received), 1 << 20))
        if not piece:
            raise TraceError("the collector went away in the middle of an answer; ask again")
        received += piece
    return bytes(received)
