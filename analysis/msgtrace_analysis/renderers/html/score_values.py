"""How the trace as a whole, its scores and its losses are written for report.html. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.json_values import time_of

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Criterion, Findings, Resilience

MOST_SCORES: Final = 200


def recording(findings: Findings) -> dict[str, Any]:
    """The trace."""
    value = findings.recording
    return {
        "id": value.trace_id,
        "made_by": value.msgtrace_version,
        "operations": value.operations,
        "kinds": dict(value.kinds),
        "first": time_of(value.first_seen_ns),
        "last": time_of(value.last_seen_ns),
        "recording": value.recording,
        "note": value.note,
        "clients": [
            {"system": each.system, "client": each.client, "services": list(each.services)}
            for each in findings.stack.clients
        ],
        "servers": [
            {"system": each.system, "address": each.address, "connections": each.connections, "services": list(each.services)}
            for each in findings.stack.servers
        ],
    }  # fmt: skip


def scores(value: Resilience) -> dict[str, Any]:
    """All scores, the system's first."""
    return {
        "scores": [
            {
                "scope": each.scope,
                "subject": each.subject,
                "system": each.system,
                "points": each.points,
                "best": each.best,
                "known": each.known,
                "criteria": [_criterion(one) for one in each.criteria],
            }
            for each in value.scores[:MOST_SCORES]
        ],
        "left_out": max(0, len(value.scores) - MOST_SCORES),
    }


def _criterion(value: Criterion) -> dict[str, Any]:
    many = 0 if value.evidence is None else value.evidence.operations
    return {
        "name": value.name,
        "weight": value.weight,
        "state": value.state,
        "share": value.share,
        "reason": value.reason.format(*value.names, n=f"{many:,}"),
        "remedy": value.remedy,
        "certainty": value.certainty,
        "operations": [] if value.evidence is None else list(value.evidence.examples),
    }


def completeness(findings: Findings) -> dict[str, Any]:
    """What the trace explains, and what is not in it."""
    value = findings.completeness
    return {
        "links": dict(value.links),
        "causes": dict(value.causes),
        "uncaused": value.uncaused,
        "unfinished": value.unfinished,
        "unread": value.unread,
        "redacted": value.redacted,
        "unlinked": [
            {
                "side": each.side,
                "system": each.system,
                "channel": each.channel,
                "reason": each.reason,
                "operations": each.evidence.operations,
            }
            for each in value.unlinked
        ],
        "losses": [
            {"service": each.service, "reason": each.reason, "detail": each.detail, "lost": each.lost}
            for each in value.losses
        ],
    }
