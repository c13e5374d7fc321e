"""Keeps a trace file to one collector, and tells others where that one answers questions."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from msgtrace.recording_file import lock_path, recording_of
from msgtrace_collectors.trace_file import BusyTraceError, trace_error

if TYPE_CHECKING:
    from pathlib import Path

    from msgtrace.recording_file import Recording

WAIT_S: Final = 2.0
"""For a collector that is just ending."""


@dataclass(slots=True)
class RecordingLock:
    """Held while a collector records.

    Attributes:
        trace: the file.
    """

    trace: Path
    _file: int = -1

    def acquire(self) -> None:
        """Take it, waiting a moment for a collector that is just ending.

        Raises:
            BusyTraceError: another collector has it.
            TraceError: the lock file can't be made.
        """
        path = lock_path(self.trace)
        try:
            self.trace.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise trace_error(self.trace, error) from None
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= deadline:
                    other = recording_of(self.trace)
                    who = f" (pid {other.pid})" if other else ""
                    os.close(self._file)
                    raise BusyTraceError(
                        f"{self.trace}: another collector{who} is recording into it; give another file with --db"
                    ) from None
                time.sleep(0.02)
                continue
            if _is_ours(self._file, path):
                return
            # Its last holder removed the file between our opening and our locking.
            os.close(self._file)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def announce(self, recording: Recording) -> None:
        """Write down where questions are answered."""
        content = msgspec.json.encode(recording)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, content, 0)

    def release(self) -> None:
        """Remove the file and give the lock back."""
        lock_path(self.trace).unlink(missing_ok=True)
        os.close(self._file)


def _is_ours(file: int, path: Path) -> bool:
    try:
        return os.fstat(file).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
