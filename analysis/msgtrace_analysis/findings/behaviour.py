"""Repetitions, settlements, errors; what the trace explains and what it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Certainty, Evidence, Place


@dataclass(frozen=True, slots=True)
class Retries:
    """Messages of one event type that one service received more than once.

    Attributes:
        messages: that were.
        attempts: the most for one message.
        reasons: why this is held to be a repetition, and for how many receives, e.g. `redelivered flag`.
    """

    event: str
    name: str
    system: str
    channel: str
    service: str
    messages: int
    attempts: int
    reasons: tuple[tuple[str, int], ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How one service settled what it received from one channel."""

    system: str
    channel: str
    service: str
    outcome: str
    settlements: int
    receives: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Failure:
    """Operations of one place that ended with an exception."""

    place: Place
    kind: str
    system: str
    channel: str
    error_type: str
    message: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Reliability:
    """Repetitions, settlements and errors."""

    retries: tuple[Retries, ...]
    outcomes: tuple[Outcomes, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Unlinked:
    """Sends whose receive was not found, or receives whose send was not, and the likely reason."""

    side: Literal["send", "receive"]
    system: str
    channel: str
    reason: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Loss:
    """One row of the trace's own account of what is not in it."""

    service: str
    reason: str
    detail: str
    lost: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much of the traffic the trace explains.

    Attributes:
        links: certainty and how many receives were found to be a send of the trace.
        causes: certainty and how many sends were found to follow from something.
        uncaused: sends that nothing was found to have caused.
        unfinished: operations whose end was never seen.
        unread: messages with a body that could not be decoded.
        redacted: secrets that were replaced.
    """

    links: tuple[tuple[Certainty, int], ...]
    causes: tuple[tuple[Certainty, int], ...]
    uncaused: int
    unfinished: int
    unread: int
    redacted: int
    unlinked: tuple[Unlinked, ...]
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class Practices:
    """Facts for the sections on monitoring and security: of `messages`, how many carry what."""

    messages: int
    with_message_id: int
    with_correlation_id: int
    with_trace_id: int
    persistent: int
    transient: int


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that gives reason to look.

    Attributes:
        sentence: with `{0}`, `{1}`, ... for `names`, and `{n}` for the number of operations.
        names: as they were recorded.
    """

    sentence: str
    names: tuple[str, ...]
    evidence: Evidence
