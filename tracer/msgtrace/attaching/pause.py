"""Measures from outside for how long a process is stopped by a debugger, by looking at it all the time."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

EVERY_S: Final = 0.0002


class Pause:
    """Looks at a process while the `with` block runs.

    Args:
        pid: the process.

    Attributes:
        stopped_ns: for how long its first thread was stopped, at most one look too long; known when the block has ended.
    """

    def __init__(self, pid: int) -> None:
        self.stopped_ns = 0
        self._stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        since = 0
        while not self._over.wait(EVERY_S):
            try:
                stat = os.pread(self._stat, 512, 0)
            except OSError:  # it has ended
                return
            stopped = stat[stat.rindex(b")") + 2 :][:1] == b"t"
            now = time.monotonic_ns()
            if since:
                self.stopped_ns += now - since
            since = now if stopped else 0

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._over.set()
        self._looking.join()
        os.close(self._stat)
