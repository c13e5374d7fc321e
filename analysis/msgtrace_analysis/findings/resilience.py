"""How well a system stands failure, as a number that says where it comes from: docs/resilience.md has the formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Certainty, Evidence

State = Literal["pass", "partly", "fail", "unknown"]
"""`unknown`: there is no evidence for either. It is no pass."""

Scored = Literal["system", "consumer", "producer", "server"]
"""What a score is of."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One check of one subject.

    Attributes:
        name: as docs/resilience.md has it.
        weight: what it counts for.
        share: of the weight that was earned, 0 to 1; None when unknown.
        reason: a sentence with `{0}`, `{1}`, ... for `names`, and `{n}` for the operations.
        remedy: what would raise it, or make it known; '' when there is nothing to raise.
        evidence: None where nothing was seen that bears on it.
    """

    name: str
    weight: int
    state: State
    share: float | None
    reason: str
    names: tuple[str, ...]
    remedy: str
    certainty: Certainty
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Score:
    """One consumer, producer or server, or the whole system.

    Attributes:
        subject: `system`, or what it is of, e.g. `billing on queue orders`.
        points: 0 to 100: what was earned of all weights, the unknown ones counted as not earned.
        best: what it would be if all that is unknown were well.
        known: the share of the weights that is known, 0 to 1.
    """

    scope: Scored
    subject: str
    system: str
    channel: str
    service: str
    points: float
    best: float
    known: float
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Resilience:
    """Scores, the system's first; empty where there is nothing to judge."""

    scores: tuple[Score, ...] = ()
