"""Tells from a series of calls that something stops them after failures and lets one through now and then. Pure.

What a circuit breaker leaves in traffic: calls go on; so many fail in a row; then there is none for a while, though there
was one every so often before; then a single one. If that fails, it is silent as long again; if it succeeds, calls go on.
A pause after a failure that is not of one length, or comes after other numbers of failures, is none.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Evidence
from msgtrace_analysis.passes.evidence import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace_analysis.findings import Certainty

SILENT: Final = 8
"""A silence is so many times the usual time between calls."""
STEADY: Final = 5
"""Calls that must have gone on, for what is usual to be known."""
ALIKE: Final = 0.2
"""Silences of one breaker differ by no more than this share; a probe may come late, for want of something to do."""
FEWEST: Final = 2
"""Failures in a row: a pause after one is what a retry does."""
SHORTEST_NS: Final = 20_000_000
"""What is shorter is no silence, however fast calls follow each other."""
SURE: Final = 3
"""Openings from which on it is likely, and fewer a guess."""
SILENCES: Final = 2
"""Silences that must agree for there to be a length at all."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call, in order of time.

    Attributes:
        began_ns: when it began, and `ended_ns` when it ended.
    """

    failed: bool
    began_ns: int
    ended_ns: int
    operation_id: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """What was told; see `findings.Breaker`. Times are in seconds."""

    threshold: int
    open_s: float
    shortest_s: float
    longest_s: float
    openings: int
    reopenings: int
    closings: int
    still_open: bool
    evidence: Evidence


def pattern(calls: Sequence[Call]) -> Pattern | None:
    """What looks like a breaker in calls of one place to one channel; None for nothing."""
    if len(calls) < STEADY + FEWEST or not any(call.failed for call in calls):
        return None
    gaps = [max(0, after.began_ns - before.ended_ns) for before, after in itertools.pairwise(calls)]
    usual = median(gaps)
    limit = max(SILENT * usual, SHORTEST_NS)
    if sum(gap <= limit for gap in gaps) < STEADY:
        return None
    runs: list[int] = []
    silences: list[float] = []
    idle: list[float] = []
    used: list[int] = []
    failures, closings, longest_run, open_now = 0, 0, 0, False
    for place, call in enumerate(calls):
        gap = gaps[place] if place < len(gaps) else None
        failures = failures + 1 if call.failed else 0
        silent = gap is not None and gap > limit
        if open_now:  # a probe
            used.append(call.operation_id)
            open_now = call.failed
            closings += not call.failed
            failures = 0
            if call.failed and gap is not None and not silent:
                return None  # and calls went on
        elif silent and call.failed:
            runs.append(failures)
            used.append(call.operation_id)
            open_now, failures = True, 0
        elif gap is not None:
            longest_run = max(longest_run, failures)
        if silent and gap is not None:
            (silences if open_now else idle).append(gap)
    if longest_run >= max(runs, default=0) or not _agree(runs, silences, idle, closings):
        return None
    at = {call.operation_id: call.began_ns for call in calls}
    certainty: Certainty = "likely" if len(runs) >= SURE else "guess"
    return Pattern(
        threshold=runs[0],
        open_s=median(silences) / 1e9,
        shortest_s=min(silences) / 1e9,
        longest_s=max(silences) / 1e9,
        openings=len(runs),
        reopenings=len(used) - len(runs) - closings,
        closings=closings,
        still_open=open_now,
        evidence=Evidence(len(used), tuple(used[:EXAMPLES]), at[used[0]], at[used[-1]], certainty),
    )


def _agree(runs: Sequence[int], silences: Sequence[float], idle: Sequence[float], closings: int) -> bool:
    """Whether it stops after one number of failures, for one length of time, and calls pause for nothing else."""
    if len(set(runs)) != 1 or runs[0] < FEWEST or len(silences) < SILENCES or not closings:
        return False
    return max(silences) <= min(silences) * (1 + ALIKE) and max(idle, default=0) < min(silences)
