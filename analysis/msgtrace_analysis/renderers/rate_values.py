"""Writes frequencies for EVENT_FLOWS.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.json_values import evidence, place, time_of

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Backlog, Frequencies, Rate


def frequencies(value: Frequencies) -> dict[str, Any]:
    """All rates and backlogs."""
    return {
        "seconds": value.seconds,
        "window_s": value.window_s,
        "note": value.note or None,
        "rates": [rate(each) for each in value.rates],
        "backlogs": [backlog(each) for each in value.backlogs],
    }


def rate(value: Rate) -> dict[str, Any]:
    """One rate."""
    return {
        "scope": value.scope,
        "subject": value.subject,
        "name": value.name,
        "source": value.source,
        "target": value.target,
        "side": value.side,
        "messages": value.messages,
        "per_second": value.per_second,
        "low": value.low,
        "high": value.high,
        "interval": value.interval,
        "peak_per_second": value.peak_per_second,
        "peak_at": time_of(value.peak_ns),
        "fano_factor": value.fano,
        "bytes_per_second": value.bytes_per_second,
        "failed": value.failed,
        "schedules": [
            {
                "place": place(each.place),
                "period_s": each.period_s,
                "jitter_s": each.jitter_s,
                "ticks": each.ticks,
                "missed": each.missed,
                "certainty": each.certainty,
            }
            for each in value.schedules
        ],
        "hours": None if value.hours is None else list(value.hours),
        "evidence": evidence(value.evidence),
    }


def backlog(value: Backlog) -> dict[str, Any]:
    """One backlog."""
    return {
        "event": value.event,
        "channel": value.channel,
        "group": value.group or None,
        "services": list(value.services),
        "sent": value.sent,
        "received": value.received,
        "sent_per_second": value.sent_per_second,
        "received_per_second": value.received_per_second,
        "largest": value.largest,
        "largest_at": time_of(value.largest_ns),
        "last": value.last,
        "falls_behind": value.behind,
        "points": [[time_of(at_ns), waiting] for at_ns, waiting in value.points],
    }
