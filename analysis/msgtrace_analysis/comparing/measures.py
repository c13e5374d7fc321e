"""Latencies and rates that are different in two runs. Pure.

Different is only what has intervals that do not overlap and is besides `FACTOR` apart: with many messages the intervals are so
narrow that any two machines differ. No difference of this kind breaks anything.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.comparing.flows import pairs
from msgtrace_analysis.findings.differences import Delta

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.comparing.run import Flow, Latency, Rate, Run

FACTOR: Final = 1.5
LEAST_MS: Final = 0.5
"""Latencies that are less apart are the machine's, not the system's."""
Key = tuple[str, str, str, str, str]
"""Name and id of an event type, publishing service, service and code that receive it."""
Interval = tuple[float, float]


def latencies(base: Run, head: Run) -> Iterator[Delta]:
    """Of each step's receivers, and of flows from end to end."""
    for flow, other in pairs(base, head):
        yield from _latency(flow, "end to end", flow.group, flow.end_to_end, other.end_to_end)
        before, after = _deliveries(flow), _deliveries(other)
        for key in sorted(before.keys() & after.keys()):
            if len(before[key]) == len(after[key]) == 1:
                name, _, _, service, label = key
                part = f"{name} to {service}{f': {label}' if label else ''}"
                yield from _latency(flow, part, flow.group, before[key][0], after[key][0])


def _deliveries(flow: Flow) -> dict[Key, list[Latency]]:
    found = defaultdict(list)
    for step in flow.events:
        for each in step.deliveries:
            if each.observed is not None:
                found[step.name, step.event, step.publisher, each.service, each.label].append(each.observed)
    return found


def _latency(flow: Flow, part: str, where: str, before: Latency | None, after: Latency | None) -> Iterator[Delta]:
    if before is None or after is None:
        return
    for what, was, now, old, new in (
        ("p50", before.p50_ms, after.p50_ms, before.p50_between_ms, after.p50_between_ms),
        ("p95", before.p95_ms, after.p95_ms, before.p95_between_ms, after.p95_between_ms),
    ):
        if old is not None and new is not None and _apart(old, new, was, now) and abs(was - now) >= LEAST_MS:
            yield Delta("latency", "changed", flow.name, part, where, what, _told(was, old, " ms", before.messages),
                        _told(now, new, " ms", after.messages), None, "", "likely")  # fmt: skip


def _apart(old: Interval, new: Interval, was: float, now: float) -> bool:
    return (old[1] < new[0] or new[1] < old[0]) and max(was, now) >= FACTOR * min(was, now)


def _told(value: float, interval: Interval, unit: str, messages: int) -> str:
    return f"{value:.4g}{unit} ({interval[0]:.4g} to {interval[1]:.4g}, {messages} messages)"


def rates(base: Run, head: Run) -> Iterator[Delta]:
    """Of event types, per second of trace."""
    there = {(each.subject, each.side): each for each in head.frequencies.rates if each.scope == "event"}
    names = {each.id: each.name for each in base.event_catalog}
    for rate in base.frequencies.rates:
        other = there.get((rate.subject, rate.side)) if rate.scope == "event" else None
        if other is None:
            continue
        old, new = _interval(rate), _interval(other)
        if old is not None and new is not None and _apart(old, new, rate.per_second or 0, other.per_second or 0):
            yield Delta("rate", "changed", names.get(rate.subject, rate.subject), "", rate.subject, rate.side,
                        _told(rate.per_second or 0, old, "/s", rate.messages),
                        _told(other.per_second or 0, new, "/s", other.messages), None, "", "likely")  # fmt: skip


def _interval(rate: Rate) -> Interval | None:
    return None if rate.per_second is None or rate.low is None or rate.high is None else (rate.low, rate.high)
