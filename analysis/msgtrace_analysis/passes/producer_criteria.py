"""The checks of what sends and calls that resilience is scored by. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.passes.criteria import made

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Criterion, Producer
    from msgtrace_analysis.passes.criteria import Known


def confirms(of: Producer, _: Known) -> Criterion:
    """The broker answers for every send."""
    share = {"always": 1.0, "sometimes": 0.5, "never": 0.0}.get(of.confirms)
    return made(
        "confirms",
        share,
        "The broker answers {0} for what is sent to {1}: {2} of {3} sends confirmed.",
        (of.confirms, of.channel, str(of.confirmed), str(of.sends)),
        remedy="use a queue or a stream: here nothing answers that it keeps what is sent"
        if of.channel_kind == "pubsub"
        else "use publisher confirms, or acks=all",
        evidence=of.evidence,
    )


def sends_succeed(of: Producer, _: Known) -> Criterion:
    """What is sent is taken."""
    lost = of.refused + of.returned + of.failed
    return made(
        "sends succeed",
        1 - lost / of.sends,
        "{0} of {1} sends were refused, returned or failed.",
        (str(lost), str(of.sends)),
        remedy="look at msgtrace delivery --of missing",
        evidence=of.evidence,
    )


def breaker(known: Known) -> Criterion:
    """Calls that fail are given a rest."""
    remedy = "guard calls that may fail with a circuit breaker"
    for each in known.breakers.breakers:
        share = 0.5 if each.still_open else 1.0
        return made(
            "breaker",
            share,
            "{0} guards calls of {1}" + (" and was open at the end." if each.still_open else "."),
            (each.name, each.service),
            remedy=remedy,
            evidence=each.evidence,
            certainty=each.evidence.certainty,
        )
    return made(
        "breaker",
        None,
        "No circuit breaker was seen; one that never opened and is of no known library leaves no trace.",
        remedy=remedy,
    )
