"""Circuit breakers: what they are set to, what they did, and what looks like one where no library was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Evidence, Place


@dataclass(frozen=True, slots=True)
class Breaker:
    """A circuit breaker of one service.

    Attributes:
        library: that it is of; '' where it was inferred from failures, silences and probes alone.
        name: as the program calls it, or `unnamed N`; of an inferred one, the channel that it guards.
        place: the function that it guards, or the code that makes it.
        error_threshold: failures in a row that open it; declared, or the number that was seen each time.
        reset_timeout_s: how long it stays open before a probe; declared, or the middle of the silences that were seen.
        timeout_s: after which a guarded call counts as failed; None where the breaker has no such setting.
        success_threshold: successes that close it again; None where not known.
        openings: times that it opened from closed; `reopenings`: that a probe failed; `closings`: that one succeeded.
        failures: before its openings, from the fewest to the most that were seen; None where not known.
        open_s: the times from its opening to its next change, from the shortest to the longest; None where none was seen.
        refused: calls that it refused.
        still_open: it was open when it was last seen.
    """

    library: str
    name: str
    service: str
    place: Place
    error_threshold: int | None
    reset_timeout_s: float | None
    timeout_s: float | None
    success_threshold: int | None
    openings: int
    reopenings: int
    closings: int
    failures: tuple[int, int] | None
    open_s: tuple[float, float] | None
    refused: int
    still_open: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Breakers:
    """All of them."""

    breakers: tuple[Breaker, ...] = ()
