"""The SQL and the reading of evidence, the same in every pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace_analysis.findings import Certainty

EXAMPLES: Final = 5

EVIDENCE: Final = f"count(*), list_sort(min(operation_id, {EXAMPLES})), min(observed_ns), max(observed_ns)"
"""Four columns of a grouped query over rows with `operation_id` and `observed_ns`."""

WIDTH: Final = 4


def evidence(columns: Sequence[Any], certainty: Certainty = "exact") -> Evidence:
    """Read the columns that `EVIDENCE` makes.

    Args:
        columns: the last four of a row.
        certainty: of the finding.
    """
    operations, examples, first, last = columns[-WIDTH:]
    return Evidence(operations, tuple(examples or ()), first, last, certainty)
