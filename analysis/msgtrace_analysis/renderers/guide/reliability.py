"""Reliability Patterns: settings as code, and the same policy of several clients once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.guide.code_blocks import retried

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import DeclaredPolicy, Evidence, Findings


def values(findings: Findings) -> dict[str, Any]:
    """How a policy is written in Python, and those that are declared."""
    return {"retried": retried, "declared": once(findings.retrying.declared)}


def once(declared: Iterable[DeclaredPolicy]) -> list[tuple[DeclaredPolicy, list[Evidence]]]:
    """Each policy that reads the same, with the evidence of all who state it."""
    found: dict[tuple[Any, ...], tuple[DeclaredPolicy, list[Evidence]]] = {}
    for each in declared:
        where = each.channel or each.place
        key = (
            each.source,
            where,
            each.policy,
            tuple(sorted((name, repr(known)) for name, known in each.settings.items())),
        )
        found.setdefault(key, (each, []))[1].append(each.evidence)
    return list(found.values())
