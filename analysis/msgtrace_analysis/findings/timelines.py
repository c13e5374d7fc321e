"""How traffic went, from the first message of a trace to the last."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeline:
    """Counts and latencies in equal parts of that time, one value for each part.

    Attributes:
        event: an event type's id; '' for all of them together.
        sends: messages sent.
        receives: deliveries.
        again: deliveries of what had been delivered before: by number, flag, header, or as the trace shows.
        failed: messages that failed, were refused or were given back, at their sender or a receiver.
        p50_ms: of the times from a send in this part to its first receive at each place; None where there is none.
        p95_ms: likewise.
    """

    event: str
    sends: tuple[int, ...]
    receives: tuple[int, ...]
    again: tuple[int, ...]
    failed: tuple[int, ...]
    p50_ms: tuple[float | None, ...]
    p95_ms: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Timelines:
    """Of the whole and of each event type.

    Attributes:
        begin_ns: when the first part begins.
        width_ns: of a part.
        parts: how many there are; 0 where nothing was sent or received.
    """

    begin_ns: int
    width_ns: int
    parts: int
    whole: Timeline | None
    events: tuple[Timeline, ...]
