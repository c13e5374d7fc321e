"""The HTTP handshake and the frames of a WebSocket, either direction, unmasked (RFC 6455, 4 and 5.2).

Fragments are not joined and compressed payloads not inflated: both are part of what went over the wire.
"""

import struct
from dataclasses import dataclass, field
from typing import TypeAlias

from integration.frames.splitting import Split, split_by

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


@dataclass(frozen=True, slots=True)
class Handshake:
    """The request or the response before the frames.

    Attributes:
        start_line: `GET /chat HTTP/1.1` or `HTTP/1.1 101 Switching Protocols`.
        headers: Names as they were sent, and values, in order.
        body: Of a refusal that names its length; otherwise empty.
    """

    start_line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def without(self, *names: str) -> "Handshake":
        """The same without some headers, such as `Sec-WebSocket-Key` and `Date`, in whatever case."""
        dropped = {name.lower() for name in names}
        kept = tuple((name, value) for name, value in self.headers if name.lower() not in dropped)
        return Handshake(self.start_line, kept, self.body)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; the random mask of a client does not count when frames are compared.

    Attributes:
        final: Whether it ends its message.
        reserved: The three reserved bits, 4 for a compressed message.
        opcode: CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG.
        payload: Unmasked.
        mask: The four bytes of a client's frame; None in a server's.
    """

    final: bool
    reserved: int
    opcode: int
    payload: bytes
    mask: bytes | None = field(default=None, compare=False)


Part: TypeAlias = Handshake | Frame


def split(data: bytes) -> Split[Part]:
    """Cuts one direction of a connection, from its first byte on, into handshake and frames.

    Raises:
        ValueError: A handshake's Content-Length is no number.
    """
    return split_by(_take_one, data)


def _take_one(data: bytes, start: int) -> tuple[Part, int] | None:
    # As the first byte of a frame, G is a reserved opcode and H a fragment of a close: neither is ever valid.
    return _take_handshake(data, start) if data[start] in b"GH" else _take_frame(data, start)


def _take_handshake(data: bytes, start: int) -> tuple[Handshake, int] | None:
    end = data.find(b"\r\n\r\n", start)
    if end < 0:
        return None
    start_line, *lines = data[start:end].decode("latin-1").split("\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    size = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
    end += 4
    if end + size > len(data):
        return None
    return Handshake(start_line, headers, data[end : end + size]), end + size


def _take_frame(data: bytes, start: int) -> tuple[Frame, int] | None:
    if start + 2 > len(data):
        return None
    first, second = data[start], data[start + 1]
    size, position = second & 0x7F, start + 2
    if size >= 126:
        shape = ">H" if size == 126 else ">Q"
        if position + struct.calcsize(shape) > len(data):
            return None
        (size,) = struct.unpack_from(shape, data, position)
        position += struct.calcsize(shape)
    masked = bool(second & 0x80)
    end = position + (4 if masked else 0) + size
    if end > len(data):
        return None
    mask = data[position : position + 4] if masked else None
    payload = data[end - size : end]
    frame = Frame(bool(first & 0x80), (first >> 4) & 7, first & 15, _unmask(payload, mask) if mask else payload, mask)
    return frame, end


def _unmask(payload: bytes, mask: bytes) -> bytes:
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")
