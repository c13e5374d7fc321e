"""Tells whether a traced process has ended: whether anything may still be written to its segments."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgtrace.spool import CLOSED

if TYPE_CHECKING:
    from msgtrace.segment import Header


def own_pid_namespace() -> int:
    """The inode of this process's pid namespace."""
    return Path("/proc/self/ns/pid").stat().st_ino


def has_ended(header: Header, folder: Path, pid_namespace: int) -> bool:
    """Whether the writer of a segment is gone, or has said that it writes no more.

    Args:
        header: of one of its segments.
        folder: its folder in the spool.
        pid_namespace: ours.
    """
    if (folder / CLOSED).exists():
        return True
    if header.pid_namespace == pid_namespace:
        return not _runs(header.pid, header.start_ticks)
    return _lock_can_be_had(folder / "alive")


def _runs(pid: int, start_ticks: int) -> bool:
    """Whether the process of this pid and start time runs; a zombie writes nothing more (proc(5), fields 3 and 22)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    except OSError:
        return True  # hidden from us, not gone
    state, *fields = stat[stat.rindex(b")") + 2 :].split()
    if int(fields[18]) != start_ticks:
        return False
    if state not in {b"Z", b"X"}:
        return True
    # Its first thread has ended; others may go on.
    return int(fields[16]) > 1


def _lock_can_be_had(path: Path) -> bool:
    """Whether nobody holds the writer's lock. Asked for only when segments are there, so after the writer took it."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return True  # no lock file: the folder is being removed, or was never finished
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(file)
    return True
