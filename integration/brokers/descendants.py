"""The processes below one process, from Linux's /proc, and their end. Knows nothing of brokers.

A broker's processes leave their parent, their group and their session (Erlang's port programs do all
three), so a keeper adopts what is orphaned below it (prctl(2), PR_SET_CHILD_SUBREAPER) and ends all it has.
"""

import ctypes
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Process:
    """One process, told apart from a later one with the same number.

    Attributes:
        pid: Its number.
        started: When it started, in clock ticks since boot (field 22 of /proc/PID/stat).
    """

    pid: int
    started: int


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third (state) on; empty when the process is gone or only a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[0] in "ZX" else fields


def find(pid: int) -> Process | None:
    """The process that has this number now."""
    fields = _stat(pid)
    return Process(pid, int(fields[19])) if fields else None


def alive(process: Process) -> bool:
    """Whether this very process still runs."""
    return find(process.pid) == process


def adopt_orphans() -> None:
    """Makes this process the parent of whatever is orphaned below it."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def below(pid: int) -> list[Process]:
    """Every living descendant of `pid`, parents before children."""
    children: dict[int, list[Process]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(Process(int(entry.name), int(fields[19])))
    found = list(children.get(pid, ()))
    for process in found:
        found.extend(children.get(process.pid, ()))
    return found


def end_all_below_me(limit_s: float = 15.0) -> bool:
    """Kills and reaps every descendant, orphans once adopted; False when some remain after `limit_s`."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        for process in below(os.getpid()):
            kill(process)
        if not reap():
            return True
        time.sleep(0.02)
    return False


def reap() -> bool:
    """Takes note of every child that has ended; False when no child is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def kill(process: Process, number: signal.Signals = signal.SIGKILL) -> None:
    """Sends a signal to this very process, or nothing when it is gone."""
    if alive(process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def wait_until_gone(process: Process, limit_s: float) -> bool:
    """Waits for the end of a process that may not be a child; False when it still runs after `limit_s`."""
    until = time.monotonic() + limit_s
    while alive(process):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
