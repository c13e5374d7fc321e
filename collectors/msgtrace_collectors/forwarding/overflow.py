"""What ended processes left behind, while it can't be sent: kept within a limit, the oldest given up and counted.

Processes that run need no such care: each bounds its own segments, and counts what finds no room.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Final

from msgtrace_collectors.liveness import has_ended, own_pid_namespace
from msgtrace_collectors.process import ProcessState
from msgtrace_collectors.tail import Tail

if TYPE_CHECKING:
    from pathlib import Path

_PROCESS_ID: Final = re.compile(r"[0-9a-f]{32}\Z")


def give_up(spool: Path, limit_bytes: int) -> int:
    """Remove the oldest of what ended processes left, until the rest is within the limit.

    Returns:
        How many records are lost, at most: some of one process's may have been stored.
    """
    left: list[tuple[float, int, Path]] = []
    for folder in spool.iterdir():
        if not _PROCESS_ID.match(folder.name) or folder.is_symlink() or not folder.is_dir():
            continue
        size = sum(file.stat().st_blocks * 512 for file in folder.iterdir())
        left.append((folder.stat().st_mtime, size, folder))
    total = sum(size for _, size, _ in left)
    if total <= limit_bytes:
        return 0
    lost = 0
    for _, size, folder in sorted(left):
        if total <= limit_bytes:
            break
        if (count := _records_of_ended(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lost += count
            total -= size
    return lost


def _records_of_ended(folder: Path) -> int | None:
    """How many records an ended process left; None for one that runs, or has only begun."""
    tail = Tail(ProcessState(1, folder.name), folder)
    count = 0
    try:
        while True:
            ended = tail.header is not None and has_ended(tail.header, folder, own_pid_namespace())
            if tail.header is not None and not ended:
                return None
            payloads = tail.read(ended=ended)
            count += len(payloads)
            if tail.header is None and not payloads:
                return None
            if ended and not payloads and tail.exhausted:
                return count
    finally:
        tail.close()
