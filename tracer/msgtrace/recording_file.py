"""The file beside a trace that says who records it: its collector holds it locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from msgtrace.spool import is_held

if TYPE_CHECKING:
    from pathlib import Path


class Recording(msgspec.Struct, frozen=True):
    """Who records a trace file.

    Attributes:
        pid: of the collector.
        socket: where it answers questions.
        spool: the folder that it reads.
    """

    pid: int
    socket: str
    spool: str


def lock_path(trace: Path) -> Path:
    """The file beside a trace that its collector holds locked."""
    return trace.with_name(trace.name + ".collector")


def recording_of(trace: Path) -> Recording | None:
    """What the file beside a trace says; it may be left over from a collector that was killed."""
    try:
        return msgspec.json.decode(lock_path(trace).read_bytes(), type=Recording)
    except (OSError, ValueError):
        return None


def is_recorded(trace: Path) -> bool:
    """Whether a collector has the trace now."""
    return is_held(str(lock_path(trace)))
