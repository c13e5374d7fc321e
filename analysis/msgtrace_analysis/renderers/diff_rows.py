"""Writes how two runs differ: a row each for a terminal, and JSON for programs. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.rows import Rows

if TYPE_CHECKING:
    from msgtrace_analysis.findings.differences import Comparison, Delta, Side

FORMAT: Final = "msgtrace/diff"
VERSION: Final = 1
SAME: Final = "No difference: event types, bodies, parties, flows, retry policies, latencies and rates are the same."


def ordered(found: Comparison) -> list[Delta]:
    """What breaks first, then what is sure."""
    return sorted(found.deltas, key=lambda each: (not each.breaking, each.certainty == "guess"))


def change(delta: Delta) -> str:
    """How it changed, in a few words."""
    what = f"{delta.how}: {delta.what}" if delta.what else delta.how
    return f"{what}, compatible: {delta.verdict}" if delta.aspect == "version" and delta.verdict else what


def rows(found: Comparison) -> Rows:
    """One row per difference."""
    columns = (
        "breaking", "of", "subject", "part", "change", "base", "head", "certainty", "chance", "why", "where"
    )  # fmt: skip
    return Rows(
        columns,
        [
            (
                "breaking" if each.breaking else None, each.aspect, each.subject, each.part or None, change(each),
                each.base or None, each.head or None, each.certainty, each.chance, each.breaking or None, each.where or None,
            )
            for each in ordered(found)
        ],
        SAME,
        spare=("where", "chance", "why", "certainty"),
    )  # fmt: skip


def as_json(found: Comparison) -> str:
    """The whole comparison, ending in a newline. The same runs give the same bytes."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "base": _side(found.base),
        "head": _side(found.head),
        "compatibility": found.keeps,
        "breaking": sum(bool(each.breaking) for each in found.deltas),
        "differences": [_delta(each) for each in found.deltas],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode() + "\n"


def _side(side: Side) -> dict[str, Any]:
    return {
        "trace_id": side.trace_id,
        "msgtrace_version": side.msgtrace_version,
        "operations": side.operations,
        "seconds": side.seconds,
        "note": side.note or None,
    }


def _delta(each: Delta) -> dict[str, Any]:
    return {
        "of": each.aspect,
        "how": each.how,
        "subject": each.subject,
        "part": each.part or None,
        "where": each.where or None,
        "what": each.what or None,
        "base": each.base or None,
        "head": each.head or None,
        "verdict": each.verdict,
        "breaking": each.breaking or None,
        "certainty": each.certainty,
        "chance": each.chance,
    }
