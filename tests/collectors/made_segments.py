"""Writes segments as the recorder does, frame by frame, so that a test decides what stands in them and where they end."""

from __future__ import annotations

import contextlib
import mmap
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from msgtrace import records
from msgtrace.segment import (
    END_WORD,
    FINAL_WORD,
    FREE,
    HEADER_BYTES,
    SEALED,
    STATE_WORD,
    WRITING,
    BrokenSegment,
    Header,
    framed,
)
from msgtrace.spool import start_ticks

SEGMENT_BYTES = 1 << 16
WALL_NS = 1_700_000_000_000_000_000

encode = msgspec.msgpack.Encoder().encode


@cache
def ended_process() -> tuple[int, int]:
    """Pid and start time of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    ticks = start_ticks(process.pid)
    process.communicate()
    return process.pid, ticks


@dataclass(slots=True)
class MadeProcess:
    """One traced process's folder in a spool.

    Attributes:
        spool: the spool folder.
        alive: our own process stands for it; otherwise one that has ended.
        segment_bytes: of a segment.
        wall_ns: wall time at monotonic time 0.
    """

    spool: Path
    process_id: bytes = field(default_factory=lambda: os.urandom(16))
    alive: bool = False
    segment_bytes: int = SEGMENT_BYTES
    wall_ns: int = WALL_NS
    generation: int = 0
    files: int = 0
    _map: mmap.mmap | None = None
    _words: Any = None
    _end: int = 0

    @property
    def folder(self) -> Path:
        return self.spool / self.process_id.hex()

    def write(self, *payloads: bytes) -> None:
        """Append frames, in new segments where there is no room."""
        for payload in payloads:
            frame = framed(payload, self.generation)
            if self._map is None or self._end + len(frame) > self.segment_bytes:
                self.turn()
                frame = framed(payload, self.generation)
            assert self._map is not None
            self._map[self._end : self._end + len(frame)] = frame
            self._end += len(frame)
            self._words[END_WORD] = self._end

    def record(self, *items: Any) -> None:
        """Append one record."""
        self.write(encode(items))

    def turn(self) -> None:
        """Seal the segment and begin the next: a recycled file if there is one."""
        if self._map is not None:
            self._words[FINAL_WORD] = self._end
            self._words[STATE_WORD] = SEALED
        self.generation += 1
        self.folder.mkdir(mode=0o700, exist_ok=True)
        (self.folder / "alive").touch(mode=0o600)
        pid, ticks = (os.getpid(), start_ticks()) if self.alive else ended_process()
        header = Header(
            pid=pid, process_id=self.process_id, generation=self.generation, published=HEADER_BYTES, state=WRITING, dropped=0,
            start_ticks=ticks, pid_namespace=Path("/proc/self/ns/pid").stat().st_ino,
        )  # fmt: skip
        path = self._recycled()
        if path is None:
            path = self.folder / f"{self.files}.partial"
            path.write_bytes(bytes(self.segment_bytes))
            self.files += 1
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), self.segment_bytes)
        header.write(memoryview(self._map))
        if path.suffix == ".partial":
            path.rename(path.with_suffix(".segment"))
        self._words = memoryview(self._map).cast("Q")
        self._end = HEADER_BYTES
        clock = framed(encode((records.CLOCK, self.wall_ns + self.generation, self.generation)), self.generation)
        self._map[self._end : self._end + len(clock)] = clock
        self._end += len(clock)
        self._words[END_WORD] = self._end

    def _recycled(self) -> Path | None:
        for path in sorted(self.folder.glob("*.segment")):
            with path.open("rb") as file, contextlib.suppress(BrokenSegment):
                if Header.read(memoryview(file.read(HEADER_BYTES))).state == FREE:
                    return path
        return None

    @property
    def words(self) -> Any:
        """The current segment's header."""
        return self._words

    @property
    def bytes(self) -> mmap.mmap:
        """The current segment."""
        assert self._map is not None
        return self._map

    @property
    def end(self) -> int:
        """Of the current segment."""
        return self._end


def begun(sequence: int, monotonic_ns: int, point: int = 1, **message: Any) -> bytes:
    """A BEGIN record; `causes` and `cause_state` may be among the fields."""
    causes, state = message.pop("causes", None), message.pop("cause_state", 0)
    return encode((records.BEGIN, sequence, monotonic_ns, point, 2, 3, causes, state, message))


def completed(sequence: int, monotonic_ns: int, outcome: str | None = "ok", **facts: Any) -> bytes:
    """A COMPLETE record."""
    return encode((records.COMPLETE, sequence, monotonic_ns, outcome, None, None, facts or None))


def observed(sequence: int, monotonic_ns: int, point: int = 1, outcome: str = "ok", **message: Any) -> bytes:
    """An OBSERVED record."""
    causes, state = message.pop("causes", None), message.pop("cause_state", 0)
    return encode((records.OBSERVED, sequence, monotonic_ns, point, 2, 3, causes, state, message, outcome, 0))


def introduced(process: MadeProcess, kind: str = "send", system: str = "rabbitmq", **facts: Any) -> None:
    """What stands at the beginning of a process's segments: who it is, and the meaning of point 1, thread 2, site 3."""
    process.record(
        records.PROCESS,
        {"process_id": process.process_id.hex(), "first_sequence": 1, "service": "shop", "host": "here", "pid": 7}
        | facts,
    )
    process.record(records.DEFINE, records.POINTS, 1, ["aio_pika", "10.2", system, kind, "a:b"])
    process.record(records.DEFINE, records.THREADS, 2, "MainThread")
    process.record(records.DEFINE, records.SITES, 3, ["/app/app.py", 12, "main"])
