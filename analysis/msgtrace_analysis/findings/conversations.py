"""How messages belong together beyond cause and effect: questions and answers, long transactions, ways around failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.calls import Call
    from msgtrace_analysis.findings.evidence import Certainty, Evidence, Place
    from msgtrace_analysis.findings.flows import Latency


@dataclass(frozen=True, slots=True)
class Request:
    """One type of request, and what answers it.

    Attributes:
        request: event type, and `request_name` its name.
        reply: event type of the answers; None when none was seen.
        replier: where the answers are sent; None likewise.
        via: what brings the answer, e.g. `temporary queue`, `reply queue`, `reply topic`.
        matched_by: how an answer is known to be one.
        requests: how many.
        answered: whose answer the requester received.
        lost: that were answered, but the answer was not received.
        unanswered: without an answer, though the trace goes on for longer than any answer took.
        pending: without an answer at the end of the trace.
        late: answered after the time that the request itself gave.
        timeout_ms: that time, the longest; None where requests give none.
        round_trip: from the request to its answer, at the requester.
    """

    request: str
    request_name: str
    reply: str | None
    reply_name: str | None
    requester: Place
    replier: Place | None
    via: str
    matched_by: str
    requests: int
    answered: int
    lost: int
    unanswered: int
    pending: int
    late: int
    timeout_ms: float | None
    round_trip: Latency | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SagaStep:
    """One event type in a long transaction, as one service publishes it, and in how many transactions it was.

    Attributes:
        role: `compensation` where it undoes another; `failure` where its name says that something went wrong.
    """

    event: str
    name: str
    service: str
    instances: int
    role: Literal["step", "compensation", "failure"]


@dataclass(frozen=True, slots=True)
class Transition:
    """The next new type of message in a long transaction.

    Attributes:
        source: event type and the service that published it; None where `target` is the first.
        target: that came next for the first time; None where `source` was the last.
        instances: transactions in which it was so.
    """

    source: tuple[str, str] | None
    target: tuple[str, str] | None
    instances: int


@dataclass(frozen=True, slots=True)
class Compensation:
    """A step that undoes another after a failure.

    Attributes:
        undone: event type that is undone, and `undone_name` its name.
        by: event type that undoes it.
        after: names of what failed before.
        instances: transactions in which it was seen so.
        without_failure: transactions in which both were seen, but no failure between them.
    """

    undone: str
    undone_name: str
    by: str
    by_name: str
    after: tuple[str, ...]
    instances: int
    without_failure: int
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Stuck:
    """Transactions that went no further than an event type that others went on from."""

    event: str
    name: str
    instances: int
    examples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Saga:
    """Long transactions across services that begin alike.

    Attributes:
        begins: event type, and `name` its name.
        key: what holds a transaction together: `correlation id`, `causation id` or `cause`.
        steps: in the order in which they usually come.
        transitions: from one to the next, the order of the first message of each.
        completed: transactions that ended as transactions usually end.
        compensated: in which something was undone.
        failed: in which something failed, and that neither undid anything nor ended as those without a failure do.
        stuck: that stopped where others went on, for longer than those took.
        open: that were still going on at the end of the trace.
        duration: from the first to the last message of those that ended.
        evidence: its operations are the transactions; its examples are their first operations.
    """

    begins: str
    name: str
    key: str
    services: tuple[str, ...]
    steps: tuple[SagaStep, ...]
    compensations: tuple[Compensation, ...]
    instances: int
    completed: int
    compensated: int
    failed: int
    stuck: int
    open: int
    stuck_at: tuple[Stuck, ...]
    duration: Latency | None
    evidence: Evidence
    transitions: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True)
class Fallback:
    """A message that is sent when a synchronous call fails.

    Attributes:
        handler: where both happen.
        call: what was called, e.g. `POST payments:8080/charges/{id}`.
        failures: of the call, by what they were, and how often.
        followed: failed calls that were followed by the message.
        failed: failed calls.
        otherwise: calls that succeeded and were followed by it all the same.
        succeeded: calls that succeeded.
    """

    handler: Place
    call: str
    failures: tuple[tuple[str, int], ...]
    event: str
    name: str
    followed: int
    failed: int
    otherwise: int
    succeeded: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Cycle:
    """Event types that lead to each other in a circle.

    Attributes:
        events: references and names, sorted.
        messages: that were sent from within the circle, because of another in it.
        executions: triggers after which one type was sent again, further on.
        rounds: the most for one trigger.
    """

    events: tuple[tuple[str, str], ...]
    messages: int
    executions: int
    rounds: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class LooseEnd:
    """An event type that is published and was never received, or received and was never published, in this trace."""

    event: str
    name: str
    missing: Literal["receive", "send"]
    reason: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Deviation:
    """A publisher or consumer that differs from the others of the same event type.

    Attributes:
        sentence: with `{0}`, `{1}`, ... for `names`.
        others: messages of other places that it was compared with.
    """

    event: str
    name: str
    side: Literal["publisher", "consumer"]
    place: Place
    sentence: str
    names: tuple[str, ...]
    others: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Conversations:
    """All of them.

    Attributes:
        cut: operations with more possible origins than are followed: flows count them for the first of these only.
    """

    requests: tuple[Request, ...]
    sagas: tuple[Saga, ...]
    calls: tuple[Call, ...]
    fallbacks: tuple[Fallback, ...]
    cycles: tuple[Cycle, ...]
    loose_ends: tuple[LooseEnd, ...]
    deviations: tuple[Deviation, ...]
    cut: int
