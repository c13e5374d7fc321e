"""How much consumers take at a time and what they may, and what ended for want of time or room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Load:
    """How much one service takes at a time from one channel, and against which limits.

    Attributes:
        processes: that took from it.
        limit: messages that are handed out before the first of them is answered, `limit_name` as the library calls it: 0 is
            no limit, None is not known.
        in_flight: most that one consumer had and had not settled, or of a log, that one fetch brought; None where nothing is
            settled.
        at_limit: share of the consumer's time in which it had as many as the limit allows; None without a limit.
        at_once: most handlers that ran at the same time in one process; None where handlers are not seen.
        busy: share of its processes' time, from the first receive to the last settlement or handler's end, in which a
            handler ran; None likewise.
        p50_ms: of a handler's time; with `p95_ms` and `longest_ms`, and None likewise.
        handled: handlers that were seen.
        timed_out: of them ended with an error that says that time ran out.
        longest_gap_ms: between two fetches of one process, of a log; `gap_limit_ms` is what the broker allows.
        saturated: takes as many as it may, or works, for at least nine tenths of its time; None where that can't be told.
        reason: why that is thought, a sentence.
    """

    system: str
    channel: str
    channel_kind: str
    group: str
    service: str
    processes: int
    limit: int | None
    limit_name: str
    in_flight: int | None
    at_limit: float | None
    at_once: int | None
    busy: float | None
    handled: int
    p50_ms: float | None
    p95_ms: float | None
    longest_ms: float | None
    timed_out: int
    longest_gap_ms: float | None
    gap_limit_ms: int | None
    saturated: bool | None
    reason: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Pressure:
    """Calls that a broker or library ended since there was no time or no room left.

    Attributes:
        kind: `time ran out`, or `no room`: a limit on rates, memory, or a buffer's or queue's length.
        operation: what was done: `send`, `receive`, `settle`, `process`, `call`, ...
        error: the type of the exception, or what else was answered.
    """

    kind: Literal["time ran out", "no room"]
    system: str
    channel: str
    channel_kind: str
    service: str
    operation: str
    error: str
    evidence: Evidence
