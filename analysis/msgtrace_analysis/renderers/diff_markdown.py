"""Writes how two runs differ as Markdown, for a comment on a pull request. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings.differences import MEASURED
from msgtrace_analysis.renderers.diff_rows import SAME, change
from msgtrace_analysis.renderers.markdown import code, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from msgtrace_analysis.findings.differences import Comparison, Delta, Side

MOST_ROWS: Final = 60
"""Of a table: a comment has at most 65,536 characters."""
CELL: Final = 120
"""Characters of a name."""


def markdown(found: Comparison) -> str:
    """The whole comment, ending in a newline."""
    breaking = [each for each in found.deltas if each.breaking]
    measured = [each for each in found.deltas if each.aspect in MEASURED]
    sure = [e for e in found.deltas if not e.breaking and e.certainty != "guess" and e.aspect not in MEASURED]
    open_ = [each for each in found.deltas if each.certainty == "guess"]
    lines = [f"### Messaging: {_heading(len(breaking), len(sure))}", ""]
    if breaking:
        lines += [*_table(breaking, ("", "what", "change", "base", "head", "why it breaks")), ""]
    lines += _folded(f"{_many(len(sure), 'other change')}", sure)
    lines += _folded(
        f"{_many(len(measured), 'latency or rate', 'latencies and rates')} that the machine may explain", measured
    )
    lines += _folded(f"{len(open_)} not certain: too few messages to tell from chance", open_)
    if not found.deltas:
        lines += [SAME, ""]
    lines += [_said("base", found.base), _said("head", found.head), ""]
    lines.append(
        f"Compatibility that must be kept: {found.keeps}. Breaking: who relies on the base, unchanged, can't read what it "
        "gets, does not get what it got, or loses messages that were kept."
    )
    return "\n".join(lines) + "\n"


def _heading(breaking: int, others: int) -> str:
    if not breaking and not others:
        return "no certain change"
    return f"{_many(breaking, 'breaking change') if breaking else 'no breaking change'}, {_many(others, 'other')}"


def _many(count: int, noun: str, plural: str = "") -> str:
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def _folded(summary: str, deltas: Sequence[Delta]) -> list[str]:
    if not deltas:
        return []
    table = _table(deltas, ("", "what", "change", "base", "head"))
    return ["<details>", f"<summary>{text(summary)}</summary>", "", *table, "", "</details>", ""]


def _table(deltas: Sequence[Delta], columns: Sequence[str]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{' --- |' * len(columns)}"
    for each in deltas[:MOST_ROWS]:
        subject = f"{code(each.subject, CELL)} {code(each.part, CELL)}" if each.part else code(each.subject, CELL)
        cells = [text(each.aspect), subject, _change(each), text(each.base, CELL), text(each.head, CELL)]
        if len(columns) > len(cells):
            cells.append(text(each.breaking, CELL))
        yield f"| {' | '.join(cells)} |"
    if len(deltas) > MOST_ROWS:
        yield ""
        yield f"… and {len(deltas) - MOST_ROWS} more: `msgtrace diff --format table`"


def _change(each: Delta) -> str:
    chance = "" if each.chance is None or each.certainty != "guess" else f" (chance {each.chance:.0%})"
    verdict = (
        f", {each.verdict} compatible" if each.aspect == "field" and each.verdict in {"forward", "backward"} else ""
    )
    return text(f"{change(each)}{verdict}{chance}")


def _said(name: str, side: Side) -> str:
    note = f"; {text(side.note)}" if side.note else ""
    return f"* {name}: {side.operations} operations in {side.seconds:.4g} s, trace {code(side.trace_id)}{note}"
