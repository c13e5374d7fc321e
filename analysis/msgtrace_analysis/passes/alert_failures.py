"""Rules on what fails: handlers, and messages that become dead letters. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.passes import exporters
from msgtrace_analysis.passes.intervals import poisson
from msgtrace_analysis.passes.usual import FEWEST, alert, unwatched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from msgtrace_analysis.findings import Alert, Consumer, DeadRoute, Evidence, Unwatched
    from msgtrace_analysis.passes.exporters import Query, Spot
    from msgtrace_analysis.passes.usual import Usual

LEAST_ERRORS: Final = 0.01
ERROR_WINDOW_S: Final = 600
DEAD_WINDOW_S: Final = 900
END_KINDS: Final = ("queue", "topic", "stream", "list")


def errors(usual: Usual) -> Iterator[Alert | Unwatched]:
    """On the share of handlers that fail."""
    ordered = sorted(usual.guarantees.consumers, key=_of)
    for key, alike in groupby(ordered, _of):
        spot = usual.spot(*key)
        yield _errors(usual, spot, exporters.failing(spot, ERROR_WINDOW_S), list(alike))


def _of(each: Consumer) -> tuple[str, str, str, str]:
    return each.system, each.channel_kind, each.channel, each.group


def _errors(usual: Usual, spot: Spot, query: Query | None, consumers: Sequence[Consumer]) -> Alert | Unwatched:
    receives, failed = sum(each.receives for each in consumers), sum(each.failed for each in consumers)
    if query is None:
        return unwatched("error rate", spot, "no standard metric counts what fails of {0}", spot.channel)
    if receives < FEWEST:
        reason = f"{receives} messages of {{0}} are too few to call any share of failures usual (fewer than {FEWEST})"
        return unwatched("error rate", spot, reason, spot.channel)
    most = poisson(failed)[1] / receives
    if most >= 1:
        reason = f"{failed:,} of {receives:,} messages of {{0}} failed: no share of failures would be unusual"
        return unwatched("error rate", spot, reason, spot.channel)
    least = f"; the threshold is not below {LEAST_ERRORS:.0%}" if most < LEAST_ERRORS else ""
    return alert(
        "HandlingFails", "error rate", spot, query, threshold=max(most, LEAST_ERRORS), unit="of all messages",
        observed=failed / receives, names=(spot.channel,), evidence=_largest([each.evidence for each in consumers]),
        services=sorted({each.service for each in consumers}),
        reason=f"{failed:,} of {receives:,} messages of {{0}} failed; chance would let no more than {most:.1%} "
        f"of them fail (95 %){least}",
        certainty=usual.certainty(receives, least=bool(least)),
    )  # fmt: skip


def dead_letters(usual: Usual) -> Iterator[Alert | Unwatched]:
    """On dead letters."""
    ends: dict[Spot, list[DeadRoute]] = {}
    for route in usual.dead_letters.routes:
        for spot in () if route.retry else _ends(usual, route):
            ends.setdefault(spot, []).append(route)
    for spot, routes in ends.items():
        yield _dead(usual, spot, routes)
    known = {(each.system, each.source) for each in usual.dead_letters.routes}
    known |= {(spot.system, spot.channel) for spot in ends}
    for each in usual.guarantees.consumers:
        if each.channel_kind in END_KINDS and (each.system, each.channel) not in known:
            known.add((each.system, each.channel))
            reason = "no way for dead messages of {0} is known"
            yield unwatched("dead letters", usual.spot(*_of(each)), reason, each.channel)


def _ends(usual: Usual, route: DeadRoute) -> list[Spot]:
    """Where dead letters of a route stay."""
    if route.by == "pending list":
        return [usual.spot(route.system, "stream", route.source, route.group)]
    ends: list[Spot] = []
    for target in route.targets or ("",):
        names = [target]
        if usual.channel(route.system, target, END_KINDS) is None:
            # An exchange, to which the consumer itself sends them.
            bound = (each for each in usual.topology.bindings if (each.system, each.source) == (route.system, target))
            names = sorted({each.destination for each in bound if each.destination_kind == "queue"}) or names
        for name in names:
            known = usual.channel(route.system, name, END_KINDS)
            ends.append(usual.spot(route.system, "" if known is None else known.kind, name))
    return ends


def _dead(usual: Usual, spot: Spot, routes: Sequence[DeadRoute]) -> Alert | Unwatched:
    query = exporters.grown(spot, DEAD_WINDOW_S) if spot.kind else None
    sources = ", ".join(dict.fromkeys(each.source for each in routes))
    if query is None:
        measured = "no standard exporter measures {0}, where dead letters of {1} come to"
        reason = measured if spot.channel else "where dead letters of {1} come to is not known"
        return unwatched("dead letters", spot, reason, spot.channel, sources)
    messages = sum(each.messages for each in routes)
    threshold, reason = _growth(messages, usual.frequencies.seconds, pending=routes[0].by == "pending list")
    return alert(
        "DeadLetters", "dead letters", spot, query, threshold=threshold, unit=f"messages in {exporters.span(DEAD_WINDOW_S)}",
        observed=messages if any(each.observed for each in routes) else None, names=(spot.channel, sources),
        evidence=_largest([each.evidence for each in routes]), reason=reason,
        certainty=usual.certainty(messages), for_s=0,
    )  # fmt: skip


def _growth(messages: int, seconds: float, *, pending: bool) -> tuple[float, str]:
    """The dead letters that are not unusual in a window, and why."""
    window = exporters.span(DEAD_WINDOW_S)
    if pending:
        return messages, f"{messages:,} entries of {{1}} were never acknowledged; more than these for {window} are new"
    if not messages:
        return 0, "no message of {1} became a dead letter in the recording: each one is news"
    share = min(1.0, DEAD_WINDOW_S / seconds) if seconds else 1.0
    most = poisson(messages)[1] * share
    within = f"in {window} (95 %)" if share < 1 else f"(95 %), and {window} may have as many as the recording"
    came = f"{messages:,} dead letters of {{1}} came in {seconds:.3g} s"
    return most, f"{came}; chance would make no more than {most:.2g} of them {within}"


def _largest(values: Sequence[Evidence]) -> Evidence:
    return max(values, key=lambda each: each.operations)
