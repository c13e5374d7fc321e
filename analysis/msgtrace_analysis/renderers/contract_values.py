"""Writes what was counted in bodies, and their versions, for EVENT_FLOWS.json. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.json_values import time_of

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Contract, Version


def counted(contract: Contract | None) -> dict[str, Any]:
    """The counts of a contract and its versions, oldest first."""
    if contract is None or not contract.samples:
        return {"schema_counts": None, "versioned_by": None, "version_said": None, "versions": []}
    return {
        "schema_counts": dict(contract.counts),
        "versioned_by": contract.versioned_by or None,
        "version_said": None
        if contract.version_said is None
        else dict(zip(("said_by", "version"), contract.version_said, strict=True)),
        "versions": [_version(each) for each in contract.versions],
    }


def _version(value: Version) -> dict[str, Any]:
    return {
        "name": value.name,
        "samples": value.samples,
        "first_seen": time_of(value.first_seen_ns),
        "last_seen": time_of(value.last_seen_ns),
        "verdict": value.verdict,
        "changes": [{"path": each.path, "what": each.what, "reads": each.reads} for each in value.changes],
        "counts": dict(value.counts),
    }
