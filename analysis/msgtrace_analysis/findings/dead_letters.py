"""Where messages end that could not be handled: dead-letter routes, poison, and what was dropped without a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Certainty, Evidence, Place

RouteBy = Literal["exchange", "publish", "pending list"]
"""What takes a dead message to where it goes: the broker, by a queue's dead-letter exchange; the consumer, which sends it
there; nothing: it stays in the pending list of a stream's group."""

Dropping = Literal[
    "refused with no dead-letter route",
    "acknowledged on error",
    "automatically acknowledged and raised",
    "committed on error",
]


@dataclass(frozen=True, slots=True)
class DeadRoute:
    """A way of dead messages, declared or observed or both.

    Attributes:
        source: the queue, topic, stream or list that they leave.
        by: what takes them.
        exchange: the dead-letter exchange; '' for the default one, None where there is none.
        routing_key: that they go with; None where it stays as it was.
        targets: the queues, topics, ... that they come to, as bindings or traffic tell; empty where not known.
        declared: the program declares it; `observed`: a message went this way.
        retry: it is part of a way back to the source, and not an end.
        reasons: why, as the broker says (`rejected`, `expired`, `maxlen`, `delivery_limit`) or as was seen, and how many.
        messages: that were seen to go this way.
        median_age_s: from the first time that a message was received to its being dead: to when its consumer had it, where that
            rejected it, else to its being seen where it went; None where unknown.
        oldest_s: the longest of these.
        retention: how long, or how many, the targets keep, as declared: `time to live 60000 ms`, `length limit 100`.
        redriven: messages that were taken out of a target again and sent back, and `redriven_by` the services that did.
        certainty: of the way as a whole.
        group: whose pending list it is; '' elsewhere.
    """

    system: str
    source: str
    by: RouteBy
    exchange: str | None
    routing_key: str | None
    targets: tuple[str, ...]
    declared: bool
    observed: bool
    retry: bool
    reasons: tuple[tuple[str, int], ...]
    messages: int
    median_age_s: float | None
    oldest_s: float | None
    retention: tuple[str, ...]
    redriven: int
    redriven_by: tuple[str, ...]
    certainty: Certainty
    evidence: Evidence
    group: str = ""


@dataclass(frozen=True, slots=True)
class Poison:
    """Messages of one event type that never succeeded at one consumer, though they were tried more than once.

    Attributes:
        place: the code that failed.
        messages: how many, and `of` how many that the consumer had.
        attempts: the most for one.
        errors: types of exceptions, and how often.
        end: where they are: `still tried`, `dead letter`, `dropped`, `acknowledged`, `pending`, `unknown`, and how many.
    """

    event: str
    name: str
    system: str
    channel: str
    place: Place
    messages: int
    of: int
    attempts: int
    errors: tuple[tuple[str, int], ...]
    end: tuple[tuple[str, int], ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Dropped:
    """Messages that failed and are nowhere any more.

    Attributes:
        how: it came about.
        messages: how many.
        errors: types of exceptions, and how often.
    """

    event: str
    name: str
    system: str
    channel: str
    place: Place
    how: Dropping
    messages: int
    errors: tuple[tuple[str, int], ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Where messages end that could not be handled."""

    routes: tuple[DeadRoute, ...]
    poison: tuple[Poison, ...]
    dropped: tuple[Dropped, ...]
