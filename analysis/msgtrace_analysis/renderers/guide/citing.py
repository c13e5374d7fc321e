"""Evidence in the guide: a short mark where something is said, and a folded table of what the marks stand for.

A mark's number is that of its first use, so the same findings give the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.renderers.guide.words import NOTHING, when
from msgtrace_analysis.renderers.markdown import Safe

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Evidence

HEADER: Final = (
    "| | Operations | Some of their ids | First seen (UTC) | Last seen (UTC) | Certainty |\n|---|---|---|---|---|---|"
)


class Citations:
    """The evidence that a guide has named so far."""

    def __init__(self) -> None:
        self._numbers: dict[Evidence, int] = {}
        self._told = 0

    def cite(self, *named: Evidence | None) -> Safe:
        """The marks of some evidence."""
        marks = [f"[E{number}](#e{number})" for number in dict.fromkeys(map(self._number, named)) if number]
        return Safe(" ".join(marks) or NOTHING)

    def _number(self, evidence: Evidence | None) -> int:
        if evidence is None or not evidence.operations:
            return 0
        return self._numbers.setdefault(evidence, len(self._numbers) + 1)

    def table(self) -> Safe:
        """What was named since this was last asked for, folded."""
        fresh = list(self._numbers.items())[self._told :]
        self._told = len(self._numbers)
        if not fresh:
            return Safe("")
        rows = "\n".join(_row(number, evidence) for evidence, number in fresh)
        first, last = fresh[0][1], fresh[-1][1]
        span = f"E{first}" if first == last else f"E{first} to E{last}"
        return Safe(f"<details>\n<summary>Evidence: {span}</summary>\n\n{HEADER}\n{rows}\n\n</details>")


def _row(number: int, evidence: Evidence) -> str:
    more = ", …" if evidence.operations > len(evidence.examples) else ""
    ids = ", ".join(map(str, dict.fromkeys(evidence.examples))) + more
    first, last = when(evidence.first_seen_ns), when(evidence.last_seen_ns)
    return f'| <a id="e{number}"></a>E{number} | {evidence.operations:,} | {ids} | {first} | {last} | {evidence.certainty} |'
