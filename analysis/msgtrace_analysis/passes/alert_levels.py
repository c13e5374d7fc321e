"""Rules on what waits, how many messages and for how long, and on how long handling them takes. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.passes import exporters
from msgtrace_analysis.passes.usual import FEWEST, alert, unwatched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.findings import Alert, Lag, Load, Unwatched
    from msgtrace_analysis.passes.exporters import Query
    from msgtrace_analysis.passes.usual import Usual

MARGIN: Final = 2.0
"""That a threshold is beyond what was seen."""
BEHIND: Final = 0.2
"""The share of the messages that still waited at the end, from which on a recording shows no usual depth."""
LEAST_DEPTH: Final = 10
LEAST_WAIT_S: Final = 30.0
"""What is read from a broker every 15 to 60 seconds can't tell less."""
LEAST_HANDLING_S: Final = 0.1
"""Buckets of histograms are not finer where handlers are fast."""
HANDLING_WINDOW_S: Final = 600
KEEPING: Final = frozenset({"queue", "topic", "stream", "list"})
"""Kinds of channel in which messages wait."""


def depths(usual: Usual) -> Iterator[Alert | Unwatched]:
    """On how many wait."""
    for lag in usual.guarantees.lags:
        spot = usual.spot(lag.system, lag.channel_kind, lag.channel, lag.group)
        query = exporters.waiting(spot)
        without = _without(lag, query)
        if query is None or without:
            yield unwatched("queue depth", spot, without, lag.channel)
            continue
        threshold = max(MARGIN * lag.largest, LEAST_DEPTH)
        yield alert(
            "QueueDepth", "queue depth", spot, query, threshold=threshold, unit="messages", observed=lag.largest,
            services=lag.services, names=(lag.channel,), evidence=lag.evidence,
            reason=f"of {lag.messages:,} messages at most {lag.largest:,} waited for {{0}} at one time; "
            + _beyond(threshold, LEAST_DEPTH, f"{LEAST_DEPTH} messages"),
            certainty=usual.certainty(lag.messages, least=threshold <= LEAST_DEPTH),
        )  # fmt: skip
    yield from _unknown(usual)


def waits(usual: Usual) -> Iterator[Alert | Unwatched]:
    """On how long they wait."""
    for lag in usual.guarantees.lags:
        spot = usual.spot(lag.system, lag.channel_kind, lag.channel, lag.group)
        query = exporters.waiting_s(spot)
        without = _without(lag, query)
        if query is None or without:
            yield unwatched("processing delay", spot, without, lag.channel)
            continue
        seen = lag.p95_ms / 1000
        threshold = max(MARGIN * seen, LEAST_WAIT_S)
        yield alert(
            "MessagesWaitTooLong", "processing delay", spot, query, threshold=threshold, unit="seconds", observed=seen,
            services=lag.services, names=(lag.channel,), evidence=lag.evidence,
            reason=f"95 of 100 messages waited {seen:.3g} s or less for {{0}}, and the longest {lag.longest_ms / 1000:.3g} s; "
            + _beyond(threshold, LEAST_WAIT_S, f"{LEAST_WAIT_S:g} s, for metrics are only read now and then"),
            certainty=usual.certainty(lag.messages, least=threshold <= LEAST_WAIT_S),
        )  # fmt: skip


def handling(usual: Usual) -> Iterator[Alert | Unwatched]:
    """On how long handlers run."""
    ordered = sorted((each for each in usual.guarantees.loads if each.handled), key=_of)
    for key, alike in groupby(ordered, _of):
        spot, loads = usual.spot(*key), list(alike)
        query = exporters.handling_s(spot, HANDLING_WINDOW_S)
        handled, slowest = sum(each.handled for each in loads), max(loads, key=lambda each: each.p95_ms or 0)
        if query is None or handled < FEWEST:
            few = f"{handled} handlers' times of {{0}} are too few to call any usual (fewer than {FEWEST})"
            reason = few if query is not None else "no standard metric has times of handlers of {0}"
            yield unwatched("processing delay", spot, reason, spot.channel)
            continue
        seen = (slowest.p95_ms or 0) / 1000
        threshold = max(MARGIN * seen, LEAST_HANDLING_S)
        yield alert(
            "HandlingSlow", "processing delay", spot, query, threshold=threshold, unit="seconds", observed=seen,
            services=sorted({each.service for each in loads}), names=(spot.channel,), evidence=slowest.evidence,
            reason=f"of {handled:,} handlers' runs on messages of {{0}} 95 in 100 took {seen:.3g} s or less; "
            + _beyond(threshold, LEAST_HANDLING_S, f"{LEAST_HANDLING_S:g} s"),
            certainty=usual.certainty(handled, least=threshold <= LEAST_HANDLING_S),
        )  # fmt: skip


def _of(each: Load) -> tuple[str, str, str, str]:
    return each.system, each.channel_kind, each.channel, each.group


def _unknown(usual: Usual) -> Iterator[Unwatched]:
    """Consumers of which nobody who sends was recorded."""
    known = {(each.system, each.channel, each.group) for each in usual.guarantees.lags}
    for each in usual.guarantees.consumers:
        key = (each.system, each.channel, each.group)
        if each.channel_kind in KEEPING and key not in known:
            known.add(key)
            spot = usual.spot(each.system, each.channel_kind, each.channel, each.group)
            reason = "what was sent to {0} is not known to be what its consumers had, so neither is what waits"
            yield unwatched("queue depth", spot, reason, each.channel)


def _without(lag: Lag, query: Query | None) -> str:
    """Why there can be no rule on what waits; '' where there can."""
    if query is None:
        return "no standard exporter measures this of {0}"
    if lag.messages < FEWEST:
        return f"{lag.messages} messages for {{0}} are too few to call anything usual (fewer than {FEWEST})"
    if lag.last > max(LEAST_DEPTH, BEHIND * lag.messages):
        return (
            f"{lag.last:,} of {lag.messages:,} messages still waited for {{0}} at the end: what is usual was not seen"
        )
    return ""


def _beyond(threshold: float, least: float, said: str) -> str:
    return f"the threshold is not below {said}" if threshold <= least else "the threshold is twice that"
