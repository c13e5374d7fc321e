"""AMQP 0-9-1 frames, either direction (specification, section 2.3.5). Methods are numbered, not decoded."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from integration.frames.splitting import Split, split_by

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
FRAME_END = 0xCE
PROTOCOL_HEADER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, or the protocol header with which a client begins.

    Attributes:
        kind: METHOD, HEADER, BODY, HEARTBEAT; 0 for the protocol header.
        channel: Channel number.
        payload: What stands between frame header and frame end; of a protocol header all eight bytes.
    """

    kind: int
    channel: int
    payload: bytes

    @property
    def method(self) -> tuple[int, int] | None:
        """Class and method number, (60, 40) for Basic.Publish; None when the frame is no method."""
        if self.kind != METHOD:
            return None
        class_number, method_number = struct.unpack_from(">HH", self.payload)
        return class_number, method_number


def split(data: bytes) -> Split[Frame]:
    """Cuts one direction of a connection, from its first byte on, into frames.

    Raises:
        ValueError: A frame has an unknown kind or does not end in 0xCE.
    """
    return split_by(_take_one, data)


def without_heartbeats(frames: Iterable[Frame]) -> tuple[Frame, ...]:
    """Drops what depends on the clock alone."""
    return tuple(frame for frame in frames if frame.kind != HEARTBEAT)


def _take_one(data: bytes, start: int) -> tuple[Frame, int] | None:
    if data[start] == ord("A"):
        end = start + PROTOCOL_HEADER_BYTES
        return (Frame(0, 0, data[start:end]), end) if end <= len(data) else None
    if data[start] not in (METHOD, HEADER, BODY, HEARTBEAT):
        raise ValueError(f"byte {start}: no AMQP frame is of kind {data[start]}")
    if start + 7 > len(data):
        return None
    kind, channel, size = struct.unpack_from(">BHI", data, start)
    end = start + 7 + size + 1
    if end > len(data):
        return None
    if data[end - 1] != FRAME_END:
        raise ValueError(f"byte {end - 1}: an AMQP frame ends in 0xCE, not {data[end - 1]:#04x}")
    return Frame(kind, channel, data[start + 7 : end - 1]), end
