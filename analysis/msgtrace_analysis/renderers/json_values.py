"""How values are written in documents for programs: times, evidence, places, and documents as a whole. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Evidence, Latency, Place


def text(document: Any) -> str:
    """A document as JSON, ending in a newline; halves of characters, which JSON allows and UTF-8 can't write, as escapes."""
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode() + "\n"


def time_of(at_ns: int | None) -> str | None:
    """RFC 3339, UTC, to the microsecond."""
    if at_ns is None:
        return None
    moment = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ns // 1000 % 1_000_000:06d}Z"


def evidence(value: Evidence) -> dict[str, Any]:
    """Evidence, as every finding has it."""
    return {
        "operations": value.operations,
        "examples": list(value.examples),
        "first_seen": time_of(value.first_seen_ns),
        "last_seen": time_of(value.last_seen_ns),
        "certainty": value.certainty,
    }


def place(value: Place) -> dict[str, Any]:
    """A place in the code."""
    return {"kind": value.kind, "service": value.service, "name": value.name, "site": value.site or None}


def latency(value: Latency | None) -> dict[str, Any] | None:
    """Percentiles in milliseconds."""
    if value is None:
        return None
    return {
        "messages": value.messages,
        "p50_ms": value.p50_ms,
        "p95_ms": value.p95_ms,
        "p99_ms": value.p99_ms,
        "p50_between_ms": value.p50_between_ms,
        "p95_between_ms": value.p95_between_ms,
    }
