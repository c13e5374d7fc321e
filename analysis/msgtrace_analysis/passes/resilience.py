"""Scores resilience by the formula of docs/resilience.md. Pure: the checks are in `consumer_criteria` and its like."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Resilience, Score, weakest
from msgtrace_analysis.passes import consumer_criteria as of_consumers
from msgtrace_analysis.passes import producer_criteria as of_producers
from msgtrace_analysis.passes import server_criteria as of_servers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from msgtrace_analysis.findings import Criterion
    from msgtrace_analysis.findings.resilience import Scored, State
    from msgtrace_analysis.passes.criteria import Known

OF_CONSUMERS: Final = (
    of_consumers.acknowledgement, of_consumers.dead_letter_route, of_consumers.idempotent, of_consumers.retry_bounded,
    of_consumers.poison_loop, of_consumers.durable, of_consumers.backoff, of_consumers.ordering, of_consumers.keeps_up,
)  # fmt: skip
OF_PRODUCERS: Final = (of_producers.confirms, of_producers.sends_succeed)
OF_SERVERS: Final = (of_servers.encryption, of_servers.authentication)
SOCKETS: Final = frozenset({"connection", "room"})
"""Kinds of channel without a broker, which no score is of."""


def resilience(known: Known) -> Resilience:
    """Score every consumer, producer and server, and the system that they make."""
    scores = list(_scores(known))
    if not scores:
        return Resilience()
    whole = (*_together([each for score in scores for each in score.criteria]), of_producers.breaker(known))
    return Resilience((score_of("system", "the system", "", "", "", whole), *scores))


def _scores(known: Known) -> Iterator[Score]:
    for consumer in known.guarantees.consumers:
        if consumer.channel_kind not in SOCKETS:
            subject = f"{consumer.service} from {consumer.channel_kind} {consumer.channel}"
            asked = (check(consumer, known) for check in OF_CONSUMERS)
            checks = tuple(each for each in asked if each is not None)
            yield score_of("consumer", subject, consumer.system, consumer.channel, consumer.service, checks)
    for producer in known.guarantees.producers:
        if producer.channel_kind not in SOCKETS:
            subject = f"{producer.service} to {producer.channel_kind} {producer.channel}"
            checks = tuple(check(producer, known) for check in OF_PRODUCERS)
            yield score_of("producer", subject, producer.system, producer.channel, producer.service, checks)
    for server in known.transports:
        checks = tuple(check(server, known) for check in OF_SERVERS)
        yield score_of("server", server.server, server.system, "", ", ".join(server.services), checks)


def score_of(
    scope: Scored, subject: str, system: str, channel: str, service: str, checks: Sequence[Criterion]
) -> Score:
    """What checks come to.

    points = 100 * sum(weight * share of what is known) / sum(weight); best takes what is unknown for earned.
    """
    total = sum(each.weight for each in checks)
    earned = sum(each.weight * each.share for each in checks if each.share is not None)
    unknown = sum(each.weight for each in checks if each.share is None)
    return Score(
        scope=scope, subject=subject, system=system, channel=channel, service=service,
        points=round(100 * earned / total, 1), best=round(100 * (earned + unknown) / total, 1),
        known=round(1 - unknown / total, 3), criteria=tuple(checks),
    )  # fmt: skip


def _together(checks: Iterable[Criterion]) -> Iterator[Criterion]:
    """One criterion for all of a name: its weight is that of all, its share that of the known ones."""
    groups: dict[str, list[Criterion]] = {}
    for each in checks:
        groups.setdefault(each.name, []).append(each)
    for alike in groups.values():
        yield from _split(alike)


def _split(alike: Sequence[Criterion]) -> Iterator[Criterion]:
    """The known ones as one, and the unknown ones as another, so that no average hides what is not known."""
    known = [each for each in alike if each.share is not None]
    unknown = [each for each in alike if each.share is None]
    if known:
        worst = min(known, key=lambda each: each.share or 0)
        share = sum(each.share or 0 for each in known) / len(known)
        state: State = "pass" if share >= 1 else "fail" if share <= 0 else "partly"
        passed = sum(each.state == "pass" for each in known)
        yield replace(
            worst, weight=sum(each.weight for each in known), share=round(share, 3), state=state,
            reason=f"{passed} of {len(known)} pass; the worst: {worst.reason}",
            certainty=weakest(each.certainty for each in known),
        )  # fmt: skip
    if unknown:
        yield replace(
            unknown[0], weight=sum(each.weight for each in unknown),
            reason=f"{len(unknown)} unknown, among them: {unknown[0].reason}",
        )  # fmt: skip
