"""What follows from what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Certainty, Evidence, Place


@dataclass(frozen=True, slots=True)
class Latency:
    """How long something took, over `messages` of them.

    Attributes:
        p50_between_ms: 99% confidence interval of the median, and `p95_between_ms` of the 95th percentile; None where there
            are too few for one.
    """

    messages: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    p50_between_ms: tuple[float, float] | None = None
    p95_between_ms: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A time that could be promised, proposed from what was measured.

    Attributes:
        ms: rounded up to two digits.
        share: of the messages that should keep to it.
        messages: that it was derived from.
    """

    ms: float
    share: float
    messages: int
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Delivery:
    """Messages of one event type of a flow that one place received.

    Attributes:
        messages: how many different ones.
        receives: how often it received one; more than `messages` where some came again.
        latency: from the beginning of a send to its first receive.
        handling: in the handler, each time that it ran.
        target: for `latency`.
        groups: consumer groups.
        failed: how handling ended other than well (`raised`, `reject`, `nack`, `requeue`), and how often; `dead-lettered` is
            how often the broker brought the message from where it had been refused.
    """

    place: Place
    messages: int
    receives: int
    latency: Latency | None
    certainty: Certainty
    handling: Latency | None = None
    target: Target | None = None
    groups: tuple[str, ...] = ()
    failed: tuple[tuple[str, int], ...] = ()


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
class Hop:
    """One message's way, as it is told in a variant.

    Attributes:
        event: '' where this is the trigger itself, which failed.
        publisher: None where this is the trigger itself.
        target: None when no receive was found.
        outcome: '' or how the handling, or the send, failed.
        dead_lettered: it came from where it had been refused.
    """

    event: str
    name: str
    publisher: Place | None
    target: Place | None
    outcome: str
    dead_lettered: bool


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in which a flow went.

    Attributes:
        hops: all that happened after one trigger, each once however often it was repeated.
        executions: triggers that were followed by just this.
        failed: something in it failed.
    """

    hops: tuple[Hop, ...]
    executions: int
    failed: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Style:
    """Who decides how a flow goes on.

    Attributes:
        coordinator: the service that does, in an orchestration.
        reason: a sentence with `{0}`, `{1}`, ... for `names`.
    """

    kind: Literal["choreography", "orchestration", "too short to tell"]
    coordinator: str | None
    reason: str
    names: tuple[str, ...]
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Flow:
    """What followed from one trigger.

    Attributes:
        triggered: how often it was seen.
        silent: how often nothing was sent after it.
        arrives: event type that comes in from outside of the trace, when that is the trigger.
        depth: messages one after the other, at most.
        fan_out: receives of one message, at most.
        end_to_end: from a trigger to the end of the last thing that followed from it.
        target: for `end_to_end`.
        variants: the usual one first.
        unlisted: executions of variants that are not listed, because there are too many.
        ambiguous: executions that are in no variant, because what followed from which can't be told.
    """

    group: str
    name: str
    trigger: Place
    arrives: str | None
    triggered: int
    silent: int
    steps: tuple[Step, ...]
    evidence: Evidence
    depth: int = 0
    fan_out: int = 0
    end_to_end: Latency | None = None
    target: Target | None = None
    variants: tuple[Variant, ...] = ()
    unlisted: int = 0
    ambiguous: int = 0
    style: Style | None = None


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
