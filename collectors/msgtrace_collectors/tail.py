"""Reads the segments of one traced process, oldest first, from a position on. Gives payloads; decodes nothing.

Two rules make reading exact. A position moves only over frames that are right, or over damage in a segment that nobody
writes any more. A segment goes back to its writer only after what it holds has been stored.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import adler32

from msgtrace.segment import (
    CHECKED_BYTES,
    DROPPED_WORD,
    END_WORD,
    FINAL_WORD,
    FRAME,
    FREE,
    HEADER_BYTES,
    SEALED,
    STATE_WORD,
    WRITING,
    BrokenSegment,
    Header,
)

if TYPE_CHECKING:
    from pathlib import Path

    from msgtrace_collectors.process import ProcessState


@dataclass(slots=True)
class Mapped:
    """A segment that is being read, or that waits to be given back."""

    generation: int
    map: mmap.mmap
    bytes: memoryview = field(init=False)
    words: memoryview = field(init=False)

    def __post_init__(self) -> None:
        self.bytes = memoryview(self.map)
        self.words = self.bytes.cast("Q")

    def close(self) -> None:
        """Unmap it."""
        self.words.release()
        self.bytes.release()
        self.map.close()


@dataclass(slots=True)
class Damage:
    """What could not be read."""

    detail: str
    count: int = 1


@dataclass(slots=True)
class Tail:
    """The segments of one process.

    Attributes:
        state: whose position moves as payloads are read.
        folder: the process's, in the spool.
        header: of any of its segments; None until one was seen.
        damages: what could not be read, since the caller emptied it.
        unreleased_bytes: of segments that are read and not yet given back.
        at_once: bytes that one `read` may take, unless a single frame is larger; None for no limit.
    """

    state: ProcessState
    folder: Path
    header: Header | None = None
    damages: list[Damage] = field(default_factory=list)
    unreleased_bytes: int = 0
    at_once: int | None = None
    _current: Mapped | None = None
    _read: list[Mapped] = field(default_factory=list)
    _broken: set[str] = field(default_factory=set)
    _missing: int = 0
    _turned: bool = False

    def read(self, *, ended: bool) -> list[bytes]:
        """The payloads from the position to where the writer is, or to the end of one segment.

        Args:
            ended: the process had ended before this call.
        """
        self._turned = False
        if self._current is None:
            self._current = self._find()
        segment = self._current
        if segment is None:
            return []
        state = self.state
        state.dropped = max(state.dropped, segment.words[DROPPED_WORD])
        # In this order: what stands in a segment that was sealed before we look is final.
        sealed = segment.words[STATE_WORD] == SEALED
        end = min(segment.words[FINAL_WORD if sealed else END_WORD], len(segment.bytes))
        limit = len(segment.bytes) if ended and not sealed else end
        payloads: list[bytes] = []
        part = None if self.at_once is None else state.frame_offset + self.at_once
        if part is not None and part < limit:
            # What a part cuts off is no damage: the next read has it whole.
            self._frames(segment, part, payloads, final=False, end=end)
            if payloads:
                return payloads
        self._frames(segment, limit, payloads, final=sealed or ended, end=end)
        if sealed:
            self._read.append(segment)
            self.unreleased_bytes += len(segment.bytes)
            self._current = None
            state.generation += 1
            state.frame_offset = HEADER_BYTES
            self._turned = True
        return payloads

    def _frames(self, segment: Mapped, limit: int, payloads: list[bytes], *, final: bool, end: int) -> None:
        """Read frames up to `limit`.

        Of an ended process's last segment, what is right behind the published end counts (see `msgtrace.segment`).
        Zeros are where a process was killed while it sealed.

        Args:
            segment: the current one.
            limit: how far to look.
            payloads: gets them.
            final: nobody writes here any more.
            end: as published.
        """
        state = self.state
        start = state.frame_offset
        if limit - start < FRAME.size:
            return
        data = bytes(segment.bytes[start:limit])
        seed = segment.generation & 0xFFFF or 1
        unpack, size, available = FRAME.unpack_from, FRAME.size, limit - start
        place = 0
        damaged = 0
        append = payloads.append
        while place + size <= available:
            length, checksum = unpack(data, place)
            following = place + size + length
            if length == 0 or following > available:
                if final and start + place < end and any(data[place:]):
                    self.damages.append(Damage(f"the rest of a segment, {end - start - place} bytes"))
                    place = available
                break
            payload = data[place + size : following]
            if adler32(payload if length <= CHECKED_BYTES else payload[:CHECKED_BYTES], seed) == checksum:
                append(payload)
            elif not final:
                break  # not yet visible, or a scribble: told apart when nobody writes here any more
            elif start + place < end:
                damaged += 1
            else:
                break
            place = following
        state.frame_offset = start + place
        if damaged:
            self.damages.append(Damage("frames whose checksum is wrong", damaged))

    def _find(self) -> Mapped | None:
        """Map the segment of the wanted generation. Gives back what an earlier collector had stored."""
        wanted = self.state.generation
        later: list[int] = []
        try:
            names = sorted(e.name for e in os.scandir(self.folder) if e.name.endswith(".segment"))
        except FileNotFoundError:
            return None
        for name in names:
            if name in self._broken:
                continue
            mapped = self._map(name)
            if mapped is None:
                continue
            header = self._header_of(mapped, name)
            if header is not None and header.generation == wanted and header.state in {WRITING, SEALED}:
                self._missing = 0
                return mapped
            if header is not None:
                if header.state == SEALED and header.generation < wanted and not self._awaits(header.generation):
                    mapped.words[STATE_WORD] = FREE
                elif header.generation > wanted and header.state != FREE:
                    later.append(header.generation)
            mapped.close()
        if later:
            self._miss(min(later))
        return None

    def _map(self, name: str) -> Mapped | None:
        try:
            file = os.open(self.folder / name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            size = os.fstat(file).st_size
            if size < HEADER_BYTES or size % 8:
                self._give_up(name, f"a segment of {size} bytes")
                return None
            return Mapped(0, mmap.mmap(file, size))
        except OSError:
            return None
        finally:
            os.close(file)

    def _header_of(self, mapped: Mapped, name: str) -> Header | None:
        try:
            header = Header.read(mapped.bytes)
        except BrokenSegment as error:
            self._give_up(name, f"a segment: {error}")
            return None
        if header.process_id.hex() != self.state.process_id:
            self._give_up(name, "a segment of another process")
            return None
        self.header = header
        self.state.pid = header.pid
        self.state.dropped = max(self.state.dropped, header.dropped)
        mapped.generation = header.generation
        return header

    def _give_up(self, name: str, detail: str) -> None:
        self._broken.add(name)
        self.damages.append(Damage(detail))

    def _awaits(self, generation: int) -> bool:
        return any(m.generation == generation for m in self._read)

    def _miss(self, next_generation: int) -> None:
        """A later segment is there and the wanted one is not.

        The first time that may be our looking: the file was recycled between two looks. The second time it is gone.
        """
        self._missing += 1
        if self._missing > 1:
            lost = next_generation - self.state.generation
            self.damages.append(Damage("segments that are gone or destroyed", lost))
            self.state.generation, self.state.frame_offset = next_generation, HEADER_BYTES
            self._missing = 0
            self._turned = True

    @property
    def exhausted(self) -> bool:
        """Whether a `read` of an ended process that gave no payloads was the last."""
        return not (self._missing or self._turned)

    def release(self) -> None:
        """Give back what has been read: called when it is stored."""
        for segment in self._read:
            segment.words[STATE_WORD] = FREE
            segment.close()
        self._read.clear()
        self.unreleased_bytes = 0

    def close(self) -> None:
        """Unmap everything, and give nothing back."""
        for segment in [*self._read, *([self._current] if self._current else [])]:
            segment.close()
        self._read.clear()
        self._current = None
