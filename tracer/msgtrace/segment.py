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
    80   8  final end: of a sealed segment. A thread that appended before the sealing may store its own end after it.
    128     frames

A frame is the payload's length (u32), a checksum (u32), and the payload. The end offset decides what is committed, with one
exception: two threads may store their ends in the wrong order, and a process killed at that very moment leaves an end
before its last frames. Of a process that has ended, frames behind the end count too, as far as their checksums hold.

The checksum is an Adler-32 over the payload's first 1,024 bytes that starts from the generation, so that what an earlier
use left behind in a recycled segment is no frame. It covers a bounded head so that its cost does not grow with the body.
Integers are little-endian: traces are read on the machine, or the kind of machine, that wrote them.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final
from zlib import adler32

from msgspec import Struct

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
FINAL_WORD: Final = 10

WRITING: Final = 1
SEALED: Final = 2
FREE: Final = 3

FRAME: Final = struct.Struct("<II")
HEADER: Final = struct.Struct("<8sII16sQQQQQQQ")


class BrokenSegment(ValueError):  # noqa: N818 - reads as what it is, and nobody outside catches it by suffix
    """Not a segment, or one of another layout version."""


class Header(Struct, frozen=True):
    """A segment's header as it stood at one moment; field units are in the module's table."""

    pid: int
    process_id: bytes
    generation: int
    published: int
    state: int
    dropped: int
    start_ticks: int
    pid_namespace: int
    final: int = 0

    @property
    def end(self) -> int:
        """First byte after the last committed frame."""
        return self.final if self.state != WRITING else self.published

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
            buffer, 0, MAGIC, VERSION, self.pid, self.process_id, self.generation, self.published, self.state,
            self.dropped, self.start_ticks, self.pid_namespace, self.final,
        )  # fmt: skip


def checksum(payload: bytes, generation: int) -> int:
    """The checksum of a frame in a segment of some generation."""
    return adler32(payload[:CHECKED_BYTES], generation & 0xFFFF or 1)


def framed(payload: bytes, generation: int) -> bytes:
    """The frame of one payload in a segment of some generation."""
    return FRAME.pack(len(payload), checksum(payload, generation)) + payload


class Frame(Struct, frozen=True):
    """A frame's payload and the offset just after it; `payload` is None where the frame is damaged."""

    payload: bytes | None
    next_offset: int


def frames(buffer: memoryview, generation: int, start: int, end: int) -> Iterator[Frame]:
    """The committed frames between two offsets, oldest first.

    Stops at the first frame that does not lie wholly inside `end` and the buffer. A frame that does, but whose
    checksum is wrong, is yielded without its payload; its length is believed, so reading goes on behind it.

    Args:
        buffer: the segment, from its first byte.
        generation: the header's.
        start: offset of a frame, `HEADER_BYTES` for the first.
        end: the header's end offset.
    """
    end = min(end, len(buffer))
    while start + FRAME.size <= end:
        length, found = FRAME.unpack_from(buffer, start)
        begin = start + FRAME.size
        if begin + length > end:
            return
        payload = bytes(buffer[begin : begin + length])
        start = begin + length
        yield Frame(payload if checksum(payload, generation) == found else None, start)


def stragglers(buffer: memoryview, generation: int, end: int) -> Iterator[Frame]:
    """The frames behind the end that an ended process published: as far as they are whole and right."""
    for frame in frames(buffer, generation, end, len(buffer)):
        if not frame.payload:
            return
        yield frame
