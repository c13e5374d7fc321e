"""What a forwarder and a central collector say to each other: messages in frames, and records squeezed into them. Pure.

A frame is its length (u32, big-endian) and one message as a MessagePack array whose first element is its tag. Both ends
bound everything before they make anything of it: a frame's length, and what its compressed part says it becomes.

    forwarder                                   central
    Hello(version, token, bodies known to it)
                                                Welcome(version, key of the digests)   or   Refused(reason)
    Open(process)
                                                At(process, position)
    Bodies, Records(process, from, to)          ...
                                                Stored(count): so many Records are in the trace file for good
    Ping                                        Ping, Forget

Nothing is said twice: `Records` names the position that it begins at and the one behind it, and is taken only where the
former is the one that the central has for this process. Where it is not, the connection ends, and the next one begins
with the position that is stored.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import cramjam
import msgspec
from msgspec import Meta, Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VERSION: Final = 1
MAX_RAW_BYTES: Final = 4 << 20
"""What the records of one frame may take, before they are squeezed."""
MAX_FRAME_BYTES: Final = MAX_RAW_BYTES + (64 << 10)
"""Squeezing makes random bytes a little larger."""
MAX_RECORDS: Final = 100_000
"""In one frame: each costs something, however short."""
LENGTH: Final = struct.Struct(">I")

Text: TypeAlias = Annotated[str, Meta(max_length=500)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]
ProcessId: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]


class ProtocolError(ValueError):
    """The peer said what it may not say; the text says what."""


class Position(Struct, array_like=True, frozen=True):
    """Where reading stands in a process's segments."""

    generation: Count
    frame_offset: Count


class Hello(Struct, array_like=True, tag=0):
    """The first word of a forwarder."""

    version: int
    token: Text


class Welcome(Struct, array_like=True, tag=1):
    """It may begin.

    Attributes:
        version: of what the central speaks.
        key: of the trace's body digests; whoever forwards to one trace must have the same.
    """

    version: int
    key: Annotated[bytes, Meta(min_length=16, max_length=64)]


class Refused(Struct, array_like=True, tag=2):
    """It may not; the connection ends."""

    reason: Text


class Open(Struct, array_like=True, tag=3):
    """Asks where a process's records are to go on."""

    process_id: ProcessId


class At(Struct, array_like=True, tag=4):
    """What is stored of a process."""

    process_id: ProcessId
    position: Position
    ended: bool


class Bodies(Struct, array_like=True, tag=5):
    """Bodies as the forwarder read them: `Body` and `Schema`. May come again.

    Attributes:
        size: of `squeezed`, when it is expanded.
        squeezed: the rows.
    """

    size: Annotated[int, Meta(ge=0, le=MAX_RAW_BYTES)]
    squeezed: bytes


class Records(Struct, array_like=True, tag=6):
    """Records of one process, in their order.

    Attributes:
        process_id: which.
        begin: the position that they begin at.
        end: the position behind them.
        dropped: how many records found no room in the process's segments so far.
        pid: of the process.
        ended: it has ended, and this is the last of it.
        size: of `squeezed`, when it is expanded.
        squeezed: the records.
    """

    process_id: ProcessId
    begin: Position
    end: Position
    dropped: Count
    pid: Count
    ended: bool
    size: Annotated[int, Meta(ge=0, le=MAX_RAW_BYTES)]
    squeezed: bytes


class Stored(Struct, array_like=True, tag=7):
    """How many `Records` of this connection are stored for good."""

    count: Count


class Ping(Struct, array_like=True, tag=8):
    """I am here."""


class Forget(Struct, array_like=True, tag=9):
    """Bodies were deleted at the central: send them again when they come again."""


class Body(Struct, array_like=True, tag=0):
    """A row of `msgtrace_store.bodies`."""

    digest: Annotated[bytes, Meta(min_length=16, max_length=16)]
    content: bytes | None
    document: str | None
    encoding: Annotated[str, Meta(max_length=100)]
    redacted: Annotated[int, Meta(ge=0, le=10**6)] | None
    remarks: Annotated[str, Meta(max_length=2000)] | None
    body_schema: Text | None


class Schema(Struct, array_like=True, tag=1):
    """A row of `msgtrace_store.body_schemas`."""

    body_schema: Text
    kind: Text | None
    name: Text | None
    registry_id: Annotated[int, Meta(ge=0, le=2**62)] | None
    subject: Text | None
    version: Annotated[int, Meta(ge=0, le=2**62)] | None
    source: Text | None
    text: str | None


Message: TypeAlias = Hello | Welcome | Refused | Open | At | Bodies | Records | Stored | Ping | Forget

_encode = msgspec.msgpack.Encoder().encode
_message: Callable[[bytes], Message] = msgspec.msgpack.Decoder(Message).decode
_payloads: Callable[[bytes], list[bytes]] = msgspec.msgpack.Decoder(
    Annotated[list[bytes], Meta(max_length=MAX_RECORDS)]
).decode
_rows: Callable[[bytes], list[Body | Schema]] = msgspec.msgpack.Decoder(
    Annotated[list[Body | Schema], Meta(max_length=MAX_RECORDS)]
).decode


def packed(message: Message) -> bytes:
    """The frame of a message."""
    text = _encode(message)
    return LENGTH.pack(len(text)) + text


@dataclass(slots=True)
class Unpacker:
    """Takes bytes as they come and gives the messages in them.

    Attributes:
        max_bytes: of a frame; small as long as nobody has shown who he is.
    """

    max_bytes: int = MAX_FRAME_BYTES
    _held: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        """Take some."""
        self._held += data

    def next(self) -> Message | None:
        """The next message; None until there is more.

        Raises:
            ProtocolError: what came is no message.
        """
        if len(self._held) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(self._held)
        if length > self.max_bytes:
            raise ProtocolError(f"a frame of {length} bytes")
        if len(self._held) < LENGTH.size + length:
            return None
        text = bytes(self._held[LENGTH.size : LENGTH.size + length])
        del self._held[: LENGTH.size + length]
        try:
            return _message(text)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"no message: {error}") from None


def squeezed(items: Sequence[bytes | Body | Schema]) -> tuple[int, bytes]:
    """Records or rows, compressed; their size before it."""
    text = _encode(items)
    return len(text), bytes(cramjam.zstd.compress(text, level=3))


def records_of(message: Records) -> list[bytes]:
    """The records of a frame.

    Raises:
        ProtocolError: there are none.
    """
    try:
        return _payloads(_expanded(message.size, message.squeezed))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"no records: {error}") from None


def rows_of(message: Bodies) -> list[Body | Schema]:
    """The rows of a frame.

    Raises:
        ProtocolError: there are none.
    """
    try:
        return _rows(_expanded(message.size, message.squeezed))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"no bodies: {error}") from None


def _expanded(size: int, data: bytes) -> bytes:
    # Into a buffer of the size that was told and checked: never more, whatever the compressed part would become.
    target = bytearray(size)
    try:
        made = cramjam.zstd.decompress_into(data, target)
    except cramjam.DecompressionError as error:
        raise ProtocolError(f"not what was said to be compressed: {error}") from None
    if made != size:
        raise ProtocolError("not of the size that was told")
    return bytes(target)
