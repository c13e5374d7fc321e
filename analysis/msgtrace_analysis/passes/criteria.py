"""What a check of resilience is, looks at and counts for: docs/resilience.md names each, with its weight. Pure.

Each check looks at other findings and says pass, partly, fail or unknown, with the sentence, the evidence and the remedy. What
was not seen is unknown, and counts as not earned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Criterion

if TYPE_CHECKING:
    from msgtrace_analysis.findings import (
        Breakers,
        Certainty,
        DeadLetters,
        Evidence,
        Guarantees,
        Retrying,
        Topology,
        Transport,
    )
    from msgtrace_analysis.findings.resilience import State

WEIGHTS: Final = {
    "acknowledgement after work": 15,
    "dead-letter route": 15,
    "idempotent": 15,
    "retry bounded": 10,
    "no poison loop": 10,
    "durable": 10,
    "backoff": 5,
    "ordering held": 5,
    "keeps up": 5,
    "confirms": 15,
    "sends succeed": 5,
    "encryption": 15,
    "authentication": 10,
    "breaker": 10,
}
"""What each counts for."""


@dataclass(frozen=True, slots=True)
class Known:
    """The findings that checks look at."""

    guarantees: Guarantees
    topology: Topology
    transports: tuple[Transport, ...]
    breakers: Breakers
    retrying: Retrying
    dead_letters: DeadLetters


def made(
    name: str,
    share: float | None,
    reason: str,
    names: tuple[str, ...] = (),
    *,
    remedy: str,
    evidence: Evidence | None = None,
    certainty: Certainty = "exact",
) -> Criterion:
    """A check's outcome.

    Args:
        name: of the check.
        share: of its weight that is earned; None where that is not known.
        reason: a sentence with `{0}`, ... for `names` and `{n}` for the operations of the evidence.
        names: as they were recorded.
        remedy: what would raise it, or make it known.
        evidence: what it rests on.
        certainty: of it.
    """
    state: State = "unknown" if share is None else "pass" if share >= 1 else "fail" if share <= 0 else "partly"
    return Criterion(
        name, WEIGHTS[name], state, share, reason, names, "" if state == "pass" else remedy, certainty, evidence
    )
