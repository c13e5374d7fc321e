"""A process's pool of segment files on tmpfs: opens, recycles and bounds them. Knows nothing of what is in a frame.

Every call is made under the recorder's lock. Nothing here waits: when no segment can be had, the caller drops and counts.
No pathlib: it would take four milliseconds of a traced program's start.
"""
# ruff: noqa: PTH102, PTH104, PTH108, PTH116, PTH123 - as just said

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import sys
from typing import TYPE_CHECKING, Final

from msgtrace.segment import (
    DROPPED_WORD,
    END_WORD,
    FINAL_WORD,
    FREE,
    GENERATION_WORD,
    HEADER_BYTES,
    SEALED,
    STATE_WORD,
    WRITING,
    Header,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

RUNS: Final = "runs"
"""The file in the spool folder that every `run` which records there holds locked."""
CLOSED: Final = "closed"
"""A file that says of a process that goes on: nothing more is written here."""

_ABANDONED: Final[list[object]] = []
"""Maps of a parent process, kept open in its forked child.

Before Python 3.13 a map owns a duplicate of its file's descriptor and closes that NUMBER when it is freed. A program
that daemonises closes every descriptor first, so by then the number may be one of the program's own files.
"""


class Segment:
    """One mapped segment file."""

    __slots__ = ("bytes", "map", "words")

    def __init__(self, file: int, size: int) -> None:
        if sys.version_info >= (3, 13):
            self.map = mmap.mmap(file, size, trackfd=False)
        else:
            self.map = mmap.mmap(file, size)
        self.bytes = memoryview(self.map)
        self.words = self.bytes.cast("Q")

    def seal(self, end: int | None = None) -> None:
        """Take what is left of the segment, so that every later append fails, and publish its end.

        Args:
            end: where the appends ended, if they were not made through `map` and are over.
        """
        while end is None:
            position = self.map.tell()
            try:
                self.map.write(bytes(len(self.map) - position))
            except ValueError:
                continue  # another thread's append came in between
            end = position
        self.words[FINAL_WORD] = end
        self.words[STATE_WORD] = SEALED


@contextlib.contextmanager
def standard_streams_left_closed() -> Iterator[None]:
    """Let no descriptor of ours be 0, 1 or 2 where the program was started without: it would be read and written as such."""
    held: list[int] = []
    try:
        while (file := os.open("/", os.O_PATH | os.O_CLOEXEC)) <= 2:
            held.append(file)
        os.close(file)
        yield
    finally:
        for file in held:
            os.close(file)


def is_held(path: str) -> bool:
    """Whether somebody has a file locked (flock); asked without keeping anybody from it for longer than that."""
    try:
        with standard_streams_left_closed():
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def start_ticks(pid: int | str = "self") -> int:
    """When a process started, in clock ticks since boot: with its pid, its identity (proc(5), field 22)."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        stat = file.read()
    return int(stat[stat.rindex(b")") + 2 :].split()[19])


class Spool:
    """The segments of this process.

    Args:
        root: the trace's spool folder.
        process_id: 16 random bytes.
        segment_bytes: size of one segment, headers included.
        limit_bytes: how much all segments of this process may take together.

    Raises:
        OSError: the folder can't be made or locked. Nothing is left behind that matters.
    """

    def __init__(self, root: str, process_id: bytes, segment_bytes: int, limit_bytes: int) -> None:
        self._segment_bytes = segment_bytes
        self._segments: list[Segment] = []
        self._limit = max(1, limit_bytes // segment_bytes)
        self._generation = 0
        self._header = Header(
            pid=os.getpid(),
            process_id=process_id,
            generation=0,
            published=HEADER_BYTES,
            state=FREE,
            dropped=0,
            start_ticks=start_ticks(),
            pid_namespace=os.stat("/proc/self/ns/pid").st_ino,
        )
        self._folder = f"{root}/{process_id.hex()}"
        os.mkdir(self._folder, mode=0o700)
        # Held until the process ends: tells a reader in another pid namespace that we live. POSIX locks are not
        # inherited by fork, so a child does not keep a dead parent's lock.
        with standard_streams_left_closed():
            self._alive = os.open(f"{self._folder}/alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.lockf(self._alive, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def next(self) -> Segment | None:
        """An empty segment of the next generation, its state WRITING; None when there is no room."""
        segment = next((s for s in self._segments if s.words[STATE_WORD] == FREE), None)
        if segment is None:
            if len(self._segments) >= self._limit:
                return None
            with contextlib.suppress(OSError), standard_streams_left_closed():
                segment = self._create()
            if segment is None:
                return None
        self._generation += 1
        # In this order: whoever sees the new generation must not see the old end with it.
        segment.words[END_WORD] = HEADER_BYTES
        segment.words[GENERATION_WORD] = self._generation
        segment.map.seek(HEADER_BYTES)
        segment.words[STATE_WORD] = WRITING
        return segment

    def _create(self) -> Segment:
        """A new file, its blocks reserved now: a full tmpfs is an error here and never a SIGBUS at a store."""
        path = f"{self._folder}/{len(self._segments)}"
        file = os.open(f"{path}.partial", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, self._segment_bytes)
            segment = Segment(file, self._segment_bytes)
            self._header.write(segment.bytes)
            # Readers take *.segment: a file is never seen before its header.
            os.rename(f"{path}.partial", f"{path}.segment")
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(f"{path}.partial")
            raise
        finally:
            os.close(file)
        self._segments.append(segment)
        return segment

    def publish_dropped(self, dropped: int) -> None:
        """Show the number of dropped records in every segment, so that a reader finds it in any."""
        for segment in self._segments:
            segment.words[DROPPED_WORD] = dropped

    def close(self) -> None:
        """Say that nothing more is written, and let go of the segments, which have been sealed."""
        with contextlib.suppress(OSError), standard_streams_left_closed():
            os.close(os.open(f"{self._folder}/{CLOSED}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if not self._descriptors_are_ours():
            _ABANDONED.append(self._segments)
        else:
            os.close(self._alive)
        self._segments = []

    def _descriptors_are_ours(self) -> bool:
        """Whether the program has left our descriptors alone: their numbers may be files of its own by now."""
        mapped = 0 if sys.version_info >= (3, 13) else len(self._segments)
        open_here = 0
        for number in os.listdir("/proc/self/fd"):  # noqa: PTH208 - as above
            with contextlib.suppress(OSError):
                open_here += os.readlink(f"/proc/self/fd/{number}").startswith(f"{self._folder}/")  # noqa: PTH115
        return open_here == mapped + 1

    def abandon(self) -> None:
        """Forget the segments without touching them: they are the parent's, this is its forked child."""
        _ABANDONED.append(self._segments)


def writable_folder(candidates: Sequence[Path]) -> Path | None:
    """The first of `candidates` that is a folder of a memory file system which we may write to."""
    for folder in candidates:
        if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) and is_memory(folder):
            return folder
    return None


def is_memory(folder: Path) -> bool:
    """Whether a folder lies on tmpfs or ramfs, by the mount table: what is written there reaches no disk."""
    best, kind = "", ""
    resolved = str(folder.resolve())
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
        mounts = file.read().splitlines()
    for line in mounts:
        _, mount, system, *_ = line.split(" ")
        mount = mount.replace("\\040", " ")
        if (resolved == mount or resolved.startswith(mount.rstrip("/") + "/")) and len(mount) >= len(best):
            best, kind = mount, system
    return kind in {"tmpfs", "ramfs"}
