"""Several `run`s that record into one trace at once: the first starts a collector, the others record into its spool.

Each holds a lock there, which all can have together, as long as it runs; who ends a collector has it alone. The file that
is locked says on what terms the trace is recorded: redaction, limits and schemas are the collector's.
"""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING, Final

from msgtrace.recording_file import is_recorded, recording_of
from msgtrace.spool import RUNS

if TYPE_CHECKING:
    from pathlib import Path

    from msgtrace.recording_file import Recording

ENDING_SECONDS: Final = 30
"""How long one may take to store everything that is ending when we come."""


class OtherTerms(Exception):  # noqa: N818 - reads as what it is
    """A trace is being recorded on other terms than ours; the text is for the user."""


def share(spool: Path, terms: str) -> int:
    """Let others record into a new spool on the same terms; the descriptor of our lock.

    Raises:
        OSError: nothing can be written there.
    """
    file = os.open(spool / RUNS, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(file, fcntl.LOCK_SH)
    os.write(file, terms.encode())
    return file


def join(trace: Path, terms: str) -> tuple[Recording, int] | None:
    """The recording of a trace that we may share, and the descriptor of our lock. None when there is none to share.

    Raises:
        OtherTerms: it is on other ones.
    """
    deadline = time.monotonic() + ENDING_SECONDS
    while is_recorded(trace) and (recording := recording_of(trace)) is not None and time.monotonic() < deadline:
        try:
            spool = os.stat(recording.spool)  # noqa: PTH116 - a text
            file = os.open(os.path.join(recording.spool, RUNS), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)  # noqa: PTH118
        except OSError:
            return None  # of `collect` or `attach`
        if spool.st_uid != os.geteuid() or spool.st_mode & 0o077:
            os.close(file)
            return None  # whoever else can write beside a trace must not be told what we record
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            time.sleep(0.05)  # it is just ending
            continue
        if os.fstat(file).st_nlink and os.read(file, 128) == terms.encode():
            return recording, file
        os.close(file)
        raise OtherTerms(
            f"{trace}: another msgtrace (collector {recording.pid}) is recording into it, with other rules, limits, schemas "
            "or of another version; give the same --redact, --max-size, ..., or another file with --db"
        )
    return None


def alone(file: int) -> bool:
    """Whether nobody else holds the lock; then nobody gets it any more until we end."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
