"""How an event type is written for report.html. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.html.schema_rows import schema_rows
from msgtrace_analysis.renderers.json_values import time_of

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Contract, Event, Evidence, Field, Party, Rate, Timeline, Version
    from msgtrace_analysis.renderers.html.numbering import Numbering

MOST_FIELDS: Final = 200
MOST_VERSIONS: Final = 8
MOST_VALUES: Final = 20


def event(each: Event, rate: Rate | None, line: Timeline | None, numbers: Numbering) -> dict[str, Any]:
    """One event type with its rate and timeline."""
    return {
        "name": each.name,
        "channel": numbers.channel(each),
        "channels": list(each.channels),
        "kind": each.judgement.kind,
        "reasons": list(each.judgement.reasons),
        "kind_certainty": each.judgement.certainty,
        "named_by": each.named_by,
        "sends": each.sends,
        "receives": each.receives,
        "per_second": each.per_second,
        "peak_per_second": rate.peak_per_second if rate else None,
        "side": rate.side if rate else None,
        "failed": rate.failed if rate else 0,
        "schedules": [
            {"period_s": one.period_s, "jitter_s": one.jitter_s, "ticks": one.ticks, "certainty": one.certainty}
            for one in (rate.schedules if rate else ())
        ],
        "bytes": None
        if each.sizes is None
        else [each.sizes.smallest_bytes, each.sizes.median_bytes, each.sizes.largest_bytes],
        "publishers": [party(one, numbers) for one in each.publishers],
        "consumers": [party(one, numbers) for one in each.consumers],
        "also_on": numbers.known_events(each.also_on),
        "line": None if line is None else _line(line),
        "evidence": evidence(each.evidence),
    }


def evidence(value: Evidence) -> dict[str, Any]:
    """What something rests on."""
    return {
        "operations": value.operations,
        "examples": list(value.examples),
        "first": time_of(value.first_seen_ns),
        "last": time_of(value.last_seen_ns),
        "certainty": value.certainty,
    }


def party(each: Party, numbers: Numbering) -> dict[str, Any]:
    """Who publishes or consumes it."""
    return {
        "service": numbers.service(each.place.service),
        "kind": each.place.kind,
        "name": each.place.name,
        "site": each.place.site,
        "operations": each.evidence.operations,
        "certainty": each.evidence.certainty,
    }


def contract(value: Contract, numbers: Numbering) -> dict[str, Any]:
    """The fields and versions of an event type."""
    return {
        "samples": value.samples,
        "unread": value.unread,
        "cut": value.cut,
        "certainty": value.certainty,
        "fields": [_field(each) for each in value.fields[:MOST_FIELDS]],
        "fields_left_out": max(0, len(value.fields) - MOST_FIELDS),
        "versioned_by": value.versioned_by,
        "versions": [_version(each) for each in value.versions[-MOST_VERSIONS:]],
        "versions_left_out": max(0, len(value.versions) - MOST_VERSIONS),
        "elsewhere": [
            {
                "event": numbers.event(each.event),
                "differences": [{"path": one.path, "what": one.what} for one in each.differences],
                "count": each.count,
            }
            for each in value.elsewhere
        ],
    }


def _field(each: Field) -> dict[str, Any]:
    written: dict[str, Any] = {
        "path": each.path,
        "types": list(each.types),
        "present": each.present,
        "of": each.of,
        "nulls": each.nulls,
        "examples": list(each.examples),
        "format": each.format,
        "format_certainty": each.format_certainty,
        "values": list(each.values[:MOST_VALUES]),
        "values_left_out": max(0, len(each.values) - MOST_VALUES),
        "closed": each.closed,
        "range": None if each.range is None else list(each.range),
        "role": each.role,
    }
    # There are many fields: what a field has not got is not written.
    return {name: known for name, known in written.items() if known not in (None, "", [], 0) or name == "present"}


def _version(each: Version) -> dict[str, Any]:
    rows, left_out = schema_rows(each.schema)
    return {
        "name": each.name,
        "samples": each.samples,
        "first": time_of(each.first_seen_ns),
        "last": time_of(each.last_seen_ns),
        "verdict": each.verdict,
        "changes": [{"path": one.path, "what": one.what, "reads": one.reads} for one in each.changes],
        "fields": [list(row) for row in rows],
        "fields_left_out": left_out,
    }


def _line(value: Timeline) -> dict[str, Any]:
    """A timeline, without the columns that hold nothing."""
    columns = {
        "sends": value.sends, "receives": value.receives, "again": value.again, "failed": value.failed,
        "p50_ms": value.p50_ms, "p95_ms": value.p95_ms,
    }  # fmt: skip
    return {name: list(column) for name, column in columns.items() if any(column)}
