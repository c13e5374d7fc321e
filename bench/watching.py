"""Watches, from outside, the CPU time of the collector that `msgtrace run` keeps beside a program. Linux: /proc."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import subprocess

INTERVAL_S: Final = 0.05
TICK_US: Final = 1_000_000 / os.sysconf("SC_CLK_TCK")


class Watch(threading.Thread):
    """Follows one `msgtrace run` to its end.

    Args:
        process: the running `msgtrace run`.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._first: float | None = None
        self._last = 0.0

    @property
    def cpu_us(self) -> float:
        """CPU time of the collector since the program started, microseconds; its start is not in it. Waits for the end.

        Precise to a clock tick (10 ms) and to the interval between two looks.
        """
        self.join()
        return 0.0 if self._first is None else self._last - self._first

    def run(self) -> None:
        """Look until the run is over."""
        stop = threading.Event()
        while self._process.returncode is None:
            self._look()
            stop.wait(INTERVAL_S)

    def _look(self) -> None:
        children = _children(self._process.pid)
        collector = next((pid for pid in children if b"msgtrace_collectors.collect" in _command_line(pid)), None)
        used = None if collector is None else _cpu_us(collector)
        if used is None:
            return
        self._last = used
        # Its second child is the program, which is started when the collector is ready.
        if self._first is None and len(children) > 1:
            self._first = used


def collector_of(process: subprocess.Popen[str]) -> Watch:
    """Watch the collector of a `msgtrace run` that was just started."""
    watch = Watch(process)
    watch.start()
    return watch


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _cpu_us(pid: int) -> float | None:
    """User and system time of a process, proc(5) fields 14 and 15; None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) * TICK_US
