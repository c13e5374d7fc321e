"""How messages are tried again: per consumer the mechanism and the policy, declared beside observed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.findings.evidence import Certainty, Evidence, Place

PolicyKind = Literal["immediate", "fixed", "linear", "exponential", "irregular", "unknown"]
"""How the delays grow: `immediate` is no delay but the way's own, `irregular` fits none of the others."""

Then = Literal["dead letter", "dropped", "acknowledged", "raised", "unknown"]
"""What becomes of a message after its last attempt: `dropped` is refused with nowhere to go, `acknowledged` is settled as
if it had succeeded, `raised` is an exception that leaves the code which retries."""

Mechanism = Literal[
    "requeue",
    "dead-letter exchange",
    "delayed exchange",
    "retry queue",
    "retry topic",
    "republish",
    "stream claim",
    "pending read",
    "seek back",
    "in-process loop",
    "reconnect",
    "unknown",
]
"""What brings a message back: the broker's requeue; a queue with a time to live whose dead-letter exchange leads back; the
delayed-message exchange; a queue, list or topic of its own for what is to be tried again; publishing it anew to where it was;
a stream's entry that is claimed after idle time, or read again by the consumer that has it pending; a log that is read
again from before; a loop in the handler; what a lost connection had in hand."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A policy, as code declares it or as delays show it. The same shape for both, so that they can be laid side by side.

    Attributes:
        kind: how delays grow.
        initial_delay_s: before the second attempt, from the end of the first; the middle of its range where delays vary.
        multiplier: from one delay to the next; None where `kind` is not `exponential`.
        max_delay_s: that no delay exceeds; None where none is declared, or none was seen to be reached.
        jitter: half the width of the range that a delay varies in, as a share of the delay: 0.1 for ±10%, 1 for
            anything between nothing and twice the middle ("full jitter"); 0 for none; None where not known.
        max_attempts: the first one included; None where there is no limit, or none was seen to be reached.
        then: what becomes of the message after the last.
        then_to: where it goes: a queue, topic, stream or list; '' for nowhere, and where that is not known.
        step_s: what each delay is longer than the one before; None where `kind` is not `linear`.
    """

    kind: PolicyKind
    initial_delay_s: float | None
    multiplier: float | None
    max_delay_s: float | None
    jitter: float | None
    max_attempts: int | None
    then: Then
    then_to: str = ""
    step_s: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One handling of a message.

    Attributes:
        operation_id: the receive, call or process that it is.
        number: from 1.
        delay_s: since the end of the attempt before; None of the first.
        result: how it ended: an outcome (`ack`, `reject`, ...), `raised`, `sent on`, or `unknown`.
        error_type: of the exception; '' where none was seen.
    """

    operation_id: int
    number: int
    delay_s: float | None
    result: str
    error_type: str


@dataclass(frozen=True, slots=True)
class Wait:
    """The delays before the attempts of one number, in seconds.

    Attributes:
        attempt: the number of the attempt that comes after the delay: 2 or more.
        seen: how many delays.
        fitted_s: what the policy says; None where none was fitted.
    """

    attempt: int
    seen: int
    shortest_s: float
    median_s: float
    longest_s: float
    fitted_s: float | None


@dataclass(frozen=True, slots=True)
class ObservedPolicy:
    """How one consumer's messages were tried again.

    Attributes:
        service: that handles them.
        system: the broker's kind.
        channel: where the first attempt was received from.
        place: the code that handles them.
        events: ids of the event types.
        mechanism: what brings a message back, with `mechanism_certainty`; `reasons` say how that is told.
        route: the channels that a message goes through from one attempt to the next, in order.
        policy: what the delays and ends show.
        fit_error: root mean square of (delay - fitted) / fitted, over all delays; None where nothing was fitted.
        groups: messages that were tried more than once, or that failed for good at once.
        exhausted: of them, those that failed for good; `recovered`: that succeeded in the end; the others were under way.
        grouped_by: what told that attempts are of one message, and of how many attempts.
        errors: types of the exceptions, and how often.
        waits: the delays, by attempt.
        examples: the attempts of a few messages.
        note: what must be known before relying on it, for example that there were too few groups; '' for nothing.
    """

    service: str
    system: str
    channel: str
    place: Place
    events: tuple[str, ...]
    mechanism: Mechanism
    mechanism_certainty: Certainty
    reasons: tuple[str, ...]
    route: tuple[str, ...]
    policy: RetryPolicy
    fit_error: float | None
    groups: int
    exhausted: int
    recovered: int
    grouped_by: tuple[tuple[str, int], ...]
    errors: tuple[tuple[str, int], ...]
    waits: tuple[Wait, ...]
    examples: tuple[tuple[Attempt, ...], ...]
    note: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class DeclaredPolicy:
    """A policy that code or configuration states.

    Attributes:
        source: the library or setting that states it: `tenacity`, `celery`, `x-delivery-limit`, `redis-py`, ...
        place: the code that it stands on: a decorated function, the place of a declaration.
        service: that the code runs in.
        system: the broker's kind; '' where it is of none.
        channel: that it is about, of a client library the server; '' where it is about a function.
        settings: what a client library was set to besides, that says how messages may be lost, repeated or held back.
    """

    source: str
    place: Place
    service: str
    system: str
    channel: str
    policy: RetryPolicy
    evidence: Evidence
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyDifference:
    """Where what was observed is not what is declared.

    Attributes:
        declared: the declared policy, and `observed` the one it is laid beside.
        field: of `RetryPolicy`.
        declared_value: as text, and `observed_value`.
    """

    declared: DeclaredPolicy
    observed: ObservedPolicy
    field: str
    declared_value: str
    observed_value: str
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Retrying:
    """All policies."""

    observed: tuple[ObservedPolicy, ...]
    declared: tuple[DeclaredPolicy, ...]
    differences: tuple[PolicyDifference, ...]
