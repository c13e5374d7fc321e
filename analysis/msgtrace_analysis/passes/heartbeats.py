"""Rules on schedules that are not kept: a channel to which nothing is sent for too long. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.passes import exporters
from msgtrace_analysis.passes.exporters import Spot
from msgtrace_analysis.passes.usual import alert, unwatched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from msgtrace_analysis.findings import Alert, Rate, Schedule, Unwatched
    from msgtrace_analysis.passes.usual import Usual

LEAST_S: Final = 300
"""A counter that is read once a minute has grown for certain in this time, if at all."""
UNLIKELY: Final = 1e-3
"""So rarely as many ticks in a row may be missing without anything being wrong."""
MOST_MISSING: Final = 10


def heartbeats(usual: Usual) -> Iterator[Alert | Unwatched]:
    """On every event type that comes on a schedule."""
    totals = {rate.subject: rate.messages for rate in usual.frequencies.of("channel") if rate.side == "send"}
    beating = [rate for rate in usual.frequencies.of("event") if rate.side == "send" and rate.schedules]
    for rate in beating:
        yield _heartbeat(usual, rate, totals)
    if totals and not beating:
        yield unwatched("heartbeat", Spot("", "", ""), "no event type was seen to be sent on a schedule")


def _heartbeat(usual: Usual, rate: Rate, totals: Mapping[str, int]) -> Alert | Unwatched:
    channel = rate.subject.removesuffix(f"/{rate.name}")
    system, _, rest = channel.partition("/")
    kind, _, address = rest.partition("/")
    spot = usual.spot(system, kind, address)
    schedule = min(rate.schedules, key=silence_s)
    window = max(LEAST_S, math.ceil(silence_s(schedule)))
    query = exporters.sent(spot, window)
    if query is None:
        return unwatched("heartbeat", spot, "no standard metric counts what is sent to {0}", address, subject=rate.name)
    if (others := totals.get(channel, 0) - rate.messages) > 0:
        reason = f"{others:,} messages of other types went to {{0}} as well: no counter tells them from {{1}}"
        return unwatched("heartbeat", spot, reason, address, rate.name, subject=rate.name)
    return alert(
        "ScheduleMissed", "heartbeat", spot, query, threshold=window, unit="seconds of silence", silence=True,
        observed=schedule.period_s, services=(schedule.place.service,), names=(rate.name, address), evidence=rate.evidence,
        reason=_reason(schedule, window), certainty="guess" if window <= LEAST_S else schedule.certainty, subject=rate.name,
        for_s=0,
    )  # fmt: skip


def _reason(schedule: Schedule, window: int) -> str:
    missing = f"{schedule.missed:,} more were missing" if schedule.missed else "none was missing"
    return f"{{0}} comes every {schedule.period_s:.4g} s ({schedule.ticks:,} times were seen, {missing}); " + (
        f"a silence of {window:,} s is less likely than 1 in {1 / UNLIKELY:,.0f} while the schedule is kept"
        if window > LEAST_S
        else f"counters are only read now and then, so the threshold is not below {window} s"
    )


def silence_s(schedule: Schedule) -> float:
    """A silence that is unlikely while a schedule is kept.

    The share of ticks that are missing is taken one tick worse than it was seen (Laplace's rule of succession).
    """
    share = (schedule.missed + 1) / (schedule.ticks + schedule.missed + 1)
    missing = min(MOST_MISSING, math.ceil(math.log(UNLIKELY) / math.log(share)))
    return (missing + 1) * schedule.period_s + 3 * schedule.jitter_s
