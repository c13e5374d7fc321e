"""Which processes are being recorded by attaching, and into which spool folder: a file for each of them in that folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgtrace
from msgtrace.attached import NOTED
from msgtrace.attaching import errand
from msgtrace.attaching.process import Unreachable, state_of, target
from msgtrace.commands.target import lent_folders, recording_processes
from msgtrace.spool import start_ticks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace.attaching.errand import Answer
    from msgtrace.attaching.process import Target
    from msgtrace.settings import Settings


def note(spool: Path, one: Target) -> None:
    """Note that a process is recorded into a folder."""
    with _file(spool, one.pid).open("x") as file:
        file.write(str(one.start_ticks))


def strike(spool: Path, pid: int) -> None:
    """Note that it is not any more."""
    _file(spool, pid).unlink(missing_ok=True)


def attached(spool: Path) -> set[int]:
    """The processes that were attached to, record into a folder, and still run."""
    found = set()
    for file in spool.glob(f"{NOTED}*"):
        pid = int(file.name.removeprefix(NOTED))
        if _runs(pid, file):
            found.add(pid)
    return found


def spools(pid: int) -> list[Path]:
    """The folders that a process is noted in."""
    files = Path(f"/proc/{pid}/root{errand.MEMORY}").glob(f"msgtrace-*/{NOTED}{pid}")
    return [file.parent for file in files if _runs(pid, file)]


def attach(spool: Path, one: Target, settings: Settings, patience_s: float = errand.PATIENCE_S) -> Answer:
    """Begin to record in a process.

    Args:
        spool: the folder, as we see it.
        one: the process.
        settings: what is recorded there; the folder is put in here.
        patience_s: for how long the answer is waited for.

    Raises:
        Unreachable: the process could not be reached, and is as it was.
    """
    order = {
        "do": "attach",
        "begin": str(errand.STARTUP / "msgtrace_begin.py"),
        "tag": f"{sys.implementation.cache_tag}{sys.abiflags}",
        "lend": lent_folders(),
        "version": msgtrace.__version__,
        "settings": settings.environment() | {"MSGTRACE_SPOOL": f"{errand.MEMORY}/{spool.name}"},
    }
    note(spool, one)
    try:
        answer = errand.run(one, order, patience_s)
    except BaseException:
        strike(spool, one.pid)
        raise
    if answer.outcome != "attached":
        strike(spool, one.pid)
    return answer


def detach(spool: Path | None, pid: int, patience_s: float = errand.PATIENCE_S) -> Answer:
    """End recording in a process that was attached to, or is a fork of one.

    Raises:
        Unreachable: it can't be told; it ends by itself when its segment is full and nobody reads it any more.
    """
    answer = errand.run(target(pid), {"do": "detach"}, patience_s)
    if spool is not None:
        strike(spool, pid)
    return answer


def forked(spool: Path, of: int | None = None) -> list[int]:
    """Processes that record into a folder because a process that was attached to has forked them.

    Args:
        spool: the folder.
        of: only those that descend from this one.
    """
    own = attached(spool)
    found = [pid for pid in recording_processes(spool) if pid not in own and is_python(pid)]
    return [pid for pid in found if of is None or of in _ancestors(pid)]


def is_python(pid: int) -> bool:
    """Whether it can be attached to; a collector reads the same segments, and is one of ours."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"msgtrace_collectors.collect" in words:
            return False
        target(pid)
    except (OSError, Unreachable):
        return False
    return True


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        try:
            stat = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            return
        pid = int(stat[stat.rindex(b")") + 2 :].split()[1])
        yield pid


def _file(spool: Path, pid: int) -> Path:
    return spool / f"{NOTED}{pid}"


def _runs(pid: int, file: Path) -> bool:
    try:
        return start_ticks(pid) == int(file.read_text()) and state_of(pid) not in {"Z", "X"}
    except (OSError, ValueError):
        return False
