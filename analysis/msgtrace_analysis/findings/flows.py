"""What follows from what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Certainty, Evidence, Place


@dataclass(frozen=True, slots=True)
class Latency:
    """From the beginning of a send to the beginning of its receive, over `messages` of them."""

    messages: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """Messages of one event type of a flow that one place received.

    Attributes:
        messages: how many different ones.
        receives: how often it received one; more than `messages` where some came again.
        latency: to the first receive of each.
    """

    place: Place
    messages: int
    receives: int
    latency: Latency | None
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Step:
    """One event type, as one place publishes it within a flow.

    Attributes:
        because: what the publisher was handling: the flow's trigger itself, or a handler of an earlier step; None when
            nothing was found to have caused the messages.
        messages: how many.
        after: how many of the flow's triggers were followed by one.
        unreceived: messages whose receive was not found.
        depth: of its first occurrence: 1 follows the trigger directly.
    """

    event: str
    name: str
    publisher: Place
    because: Place | None
    messages: int
    after: int
    unreceived: int
    depth: int
    deliveries: tuple[Delivery, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Flow:
    """What followed from one trigger.

    Attributes:
        triggered: how often it was seen.
        silent: how often nothing was sent after it.
        arrives: event type that comes in from outside of the trace, when that is the trigger.
    """

    group: str
    name: str
    trigger: Place
    arrives: str | None
    triggered: int
    silent: int
    steps: tuple[Step, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Traffic:
    """Messages of one event type from one service to another.

    Attributes:
        messages: different ones.
        receives: deliveries of them; 0 without a target.
        source: None when the sender is outside of the trace.
        target: None when no receive was found.
    """

    source: str | None
    target: str | None
    event: str
    name: str
    channel_kind: str
    messages: int
    receives: int
    certainty: Certainty
