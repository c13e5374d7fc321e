"""Reliability Patterns: settings as code. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.guide.code_blocks import retried

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Findings


def values(_: Findings) -> dict[str, Any]:
    """How a policy is written in Python."""
    return {"retried": retried}
