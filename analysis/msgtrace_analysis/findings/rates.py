"""How often, how evenly, on which schedule; and whether consumers keep up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Certainty, Evidence, Place

Scope = Literal["event", "channel", "service", "edge"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something that is sent again and again after the same time.

    Attributes:
        place: that sends it.
        period_s: from one tick to the next.
        jitter_s: standard deviation of the ticks from an even grid, or of the time between them where that is less.
        ticks: how many were seen; messages that were sent together are one.
        missed: ticks that were left out between the first and the last.
        certainty: never `exact`: a schedule is inferred.
    """

    place: Place
    period_s: float
    jitter_s: float
    ticks: int
    missed: int
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something is sent, or received where no send of it was seen.

    Attributes:
        scope: what is counted.
        subject: unique within its scope and side: an event type's id, a channel, a service, or an edge.
        name: as it is shown: of an edge the event type, from `source` to `target`.
        source: of an edge: the sending service; None elsewhere, and where it is outside of the trace.
        target: of an edge: the receiving service.
        side: what was counted.
        messages: how many.
        per_second: over the whole trace; None when that covers no time.
        low: lower end of the 95% confidence interval, and `high` its upper end.
        interval: how it was had: `poisson` (exact, Garwood 1936), or `overdispersed` (quasi-Poisson, from the variance).
        peak_per_second: the most in one window of the trace; None when it is too short for windows.
        peak_ns: when that window began.
        fano: variance over mean of the counts in windows, the larger of fine and coarse ones: 1 is chance, less is
            regular, more comes in bursts; None when there are too few windows or messages.
        bytes_per_second: of bodies; None where none had a size.
        failed: messages that failed, were refused or were given back.
        schedules: of an event type.
        hours: messages in each hour of the day, UTC; None when the trace covers less than a day.
        sample: which part of the conversations was recorded: what is counted is of those. None for all.
    """

    scope: Scope
    subject: str
    name: str
    source: str | None
    target: str | None
    side: Literal["send", "receive"]
    messages: int
    per_second: float | None
    low: float | None
    high: float | None
    interval: Literal["poisson", "overdispersed"]
    peak_per_second: float | None
    peak_ns: int | None
    fano: float | None
    bytes_per_second: float | None
    failed: int
    schedules: tuple[Schedule, ...]
    hours: tuple[int, ...] | None
    evidence: Evidence
    sample: float | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages of one event type that were sent and not yet received by those who share a queue or group.

    What they never received, though they received later ones, is not waiting and not counted.

    Attributes:
        channel: that they take from, and `group` their consumer group; '' without one.
        services: that share it.
        sent: messages that were to be received, or may still be.
        received: of these.
        largest: the most that waited, at the end of one of `points`, and when that was.
        last: that waited at the end of the trace.
        behind: what waits grows to the end.
        points: time and what waited.
    """

    event: str
    name: str
    system: str
    channel: str
    group: str
    services: tuple[str, ...]
    sent: int
    received: int
    sent_per_second: float | None
    received_per_second: float | None
    largest: int
    largest_ns: int
    last: int
    behind: bool
    points: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Frequencies:
    """All rates.

    Attributes:
        seconds: that the trace covers.
        window_s: of peaks; None when it is too short for windows.
        note: what a reader must know before relying on them; '' for nothing.
    """

    seconds: float
    window_s: float | None
    note: str
    rates: tuple[Rate, ...]
    backlogs: tuple[Backlog, ...]

    def of(self, scope: Scope) -> tuple[Rate, ...]:
        """The rates of one scope."""
        return tuple(rate for rate in self.rates if rate.scope == scope)
