"""Rows about how much consumers take and may take, and about what ended for want of time or room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.rows import Rows

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Guarantees, Load


def load_rows(found: Guarantees) -> Rows:
    """One row per consumer."""
    columns = (
        "service", "system", "channel", "group", "processes", "limit", "in_flight", "at_limit", "handlers_at_once", "busy",
        "saturated", "because", "handled", "p50_ms", "p95_ms", "longest_ms", "timed_out", "between_fetches_ms",
        "fetch_limit_ms", "example",
    )  # fmt: skip
    return Rows(columns, [_load(each) for each in found.loads], "No consumer of a broker is in this trace.",
                spare=("example", "processes", "group", "system", "fetch_limit_ms", "between_fetches_ms", "timed_out", "p50_ms",
                       "because", "longest_ms", "handled"))  # fmt: skip


def _load(each: Load) -> tuple[Any, ...]:
    limit = None if each.limit is None else f"{each.limit_name} {each.limit or 'unlimited'}"
    return (
        each.service, each.system, f"{each.channel_kind} {each.channel}".strip(), each.group or None, each.processes, limit,
        each.in_flight, each.at_limit, each.at_once, each.busy,
        "unknown" if each.saturated is None else "yes" if each.saturated else "no", each.reason, each.handled, each.p50_ms,
        each.p95_ms, each.longest_ms, each.timed_out, each.longest_gap_ms, each.gap_limit_ms,
        next(iter(each.evidence.examples), None),
    )  # fmt: skip


def pressure_rows(found: Guarantees) -> Rows:
    """One row per service, channel and kind of failure."""
    columns = ("what", "service", "system", "channel", "operation", "error", "times", "examples")
    rows = [
        (
            each.kind, each.service, each.system or None, f"{each.channel_kind} {each.channel}".strip() or None, each.operation,
            each.error, each.evidence.operations, list(each.evidence.examples),
        )
        for each in found.pressures
    ]  # fmt: skip
    return Rows(columns, rows, "Nothing was seen to end for want of time or room.", spare=("examples", "system"))
