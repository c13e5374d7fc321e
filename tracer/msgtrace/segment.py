"""One segment: a preallocated file of checksummed frames, and how to read it back. Pure layout; files are `spool`'s.

    0    8  magic
    8    4  version of this layout
    12   4  pid of the writer
    16  16  process id of the writer, random
    32   8  generation: 1 for a process's first segment, one more each time a segment is begun
    40   8  end: first byte after the last committed frame; the writer's last store of every append
    48   8  state: WRITING, SEALED by the writer; FREE by the reader, once what it holds is stored
    56   8  dropped: records of this process that found no room so far (an operation is one or two)
    64   8  start time of the writer in clock ticks since boot, as in /proc/PID/stat
    72   8  inode of the writer's pid namespace
    128     frames

A frame is the payload's length (u32), an Adler-32 of the payload's first 1,024 bytes (u32), the payload, and zeros up to
a multiple of 8 bytes. The end offset alone decides what is committed. The checksum finds what a weakly ordered machine, a
cut or a scribble did to a committed frame; it covers a bounded head so that its cost does not grow with the body, and
it is Adler's because that takes half of CRC-32's time where a record is written.
Integers are little-endian: traces are read on the machine, or the kind of machine, that wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, Final
from zlib import adler32

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC: Final = b"MSGTRACE"
VERSION: Final = 1
HEADER_BYTES: Final = 128
CHECKED_BYTES: Final = 1024

# Indexes of 8-byte words, for memoryview.cast("Q"): one aligned store each, never bytewise.
GENERATION_WORD: Final = 4
END_WORD: Final = 5
STATE_WORD: Final = 6
DROPPED_WORD: Final = 7

WRITING: Final = 1
SEALED: Final = 2
FREE: Final = 3

FRAME: Final = Struct("<II")
HEADER: Final = Struct("<8sII16sQQQQQQ")


class BrokenSegment(ValueError):  # noqa: N818 - reads as what it is, and nobody outside catches it by suffix
    """Not a segment, or one of another layout version."""


@dataclass(frozen=True, slots=True)
class Header:
    """A segment's header as it stood at one moment; field units are in the module's table."""

    pid: int
    process_id: bytes
    generation: int
    end: int
    state: int
    dropped: int
    start_ticks: int
    pid_namespace: int

    @classmethod
    def read(cls, buffer: memoryview) -> Header:
        """Read the header at the start of `buffer`.

        Raises:
            BrokenSegment: the magic or the version is not ours, or the buffer is too short.
        """
        if len(buffer) < HEADER_BYTES:
            raise BrokenSegment(f"{len(buffer)} bytes are too few for a segment's header")
        magic, version, *rest = HEADER.unpack_from(buffer)
        if magic != MAGIC:
            raise BrokenSegment("not a segment")
        if version != VERSION:
            raise BrokenSegment(f"segment layout {version}, this msgtrace reads {VERSION}")
        return cls(*rest)

    def write(self, buffer: memoryview) -> None:
        """Write the header into an empty segment."""
        HEADER.pack_into(
            buffer, 0, MAGIC, VERSION, self.pid, self.process_id, self.generation, self.end, self.state,
            self.dropped, self.start_ticks, self.pid_namespace,
        )  # fmt: skip


def framed(payload: bytes) -> bytes:
    """The frame of one payload."""
    padding = -len(payload) % 8
    return FRAME.pack(len(payload), adler32(payload[:CHECKED_BYTES])) + payload + bytes(padding)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame's payload and the offset just after it; `payload` is None where the frame is damaged."""

    payload: bytes | None
    next_offset: int


def frames(buffer: memoryview, start: int, end: int) -> Iterator[Frame]:
    """The committed frames between two offsets, oldest first.

    Stops at the first frame that does not lie wholly inside `end` and the buffer. A frame that does, but whose
    checksum is wrong, is yielded without its payload; its length is believed, so reading goes on behind it.

    Args:
        buffer: the segment, from its first byte.
        start: offset of a frame, `HEADER_BYTES` for the first.
        end: the header's end offset.
    """
    end = min(end, len(buffer))
    while start + FRAME.size <= end:
        length, checksum = FRAME.unpack_from(buffer, start)
        begin = start + FRAME.size
        following = begin + length + -length % 8
        if following > end:
            return
        payload = bytes(buffer[begin : begin + length])
        start = following
        yield Frame(payload if adler32(payload[:CHECKED_BYTES]) == checksum else None, start)
