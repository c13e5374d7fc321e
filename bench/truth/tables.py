"""The score as a table, its targets beside it, and the mistakes in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from bench.truth.scoring import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.truth.scoring import Mistake, Score, Scores

COLUMNS: Final = (
    "category",
    "true",
    "not asked",
    "claimed",
    "wrong",
    "missing",
    "precision",
    "recall",
    "F1",
    "target",
    "exact",
    "exact and wrong",
)


def table(scores: Scores) -> Table:
    """For a terminal."""
    made = Table(title="How true the analysis is")
    for name in COLUMNS:
        made.add_column(name, justify="left" if name == "category" else "right")
    for name, score in scores.by_category.items():
        made.add_row(*row(name, score))
    return made


def row(name: str, score: Score) -> tuple[str, ...]:
    """One category's cells."""
    return (
        name,
        f"{score.right + score.missing:,}",
        f"{score.unasked:,}",
        f"{score.right + score.wrong:,}",
        f"{score.wrong:,}",
        f"{score.missing:,}",
        _share(score.precision),
        _share(score.recall),
        _share(score.f1),
        _target(score.f1, TARGETS[name]),
        f"{score.exact:,}",
        f"{score.exact_wrong:,}",
    )


def verdicts(scores: Scores) -> Iterator[str]:
    """What the figures come to, in sentences."""
    asked = {name: score for name, score in scores.by_category.items() if score.f1 is not None}
    targets = {name: target for name in asked if (target := TARGETS[name]) is not None}
    missed = [name for name, target in targets.items() if (asked[name].f1 or 0) < target]
    for name in missed:
        yield f"missed: {name}, F1 {_share(asked[name].f1)}, target {targets[name]}"
    wrong = sum(score.exact_wrong for score in scores.by_category.values())
    yield f"exact and wrong: {wrong}" if wrong else "no claim said to be exact is wrong"
    if not missed:
        yield f"all {len(targets)} targets that were asked for are met"


def mistakes(scores: Scores, only: Sequence[str], most: int) -> Iterator[str]:
    """Mistakes of each category: wrong claims first, those said to be exact before all."""
    for category in only:
        found = [each for each in scores.mistakes if each.category == category]
        found.sort(key=lambda each: (each.certainty != "exact", each.kind != "wrong"))
        if found and most:
            yield f"\n{category}: {len(found)} mistakes"
            yield from map(_said, found[:most])


def _said(each: Mistake) -> str:
    values = f"   values: {', '.join(each.values[:6])}" if each.values else ""
    return f"  seed {each.seed}  {each.kind} {each.certainty}  {each.item}{values}"


def figures(scores: Scores) -> dict[str, Any]:
    """For a program."""
    return {
        name: {
            "right": score.right, "wrong": score.wrong, "missing": score.missing, "precision": score.precision,
            "recall": score.recall, "f1": score.f1, "target": TARGETS[name], "exact": score.exact,
            "exact_wrong": score.exact_wrong, "unasked": score.unasked,
        }
        for name, score in scores.by_category.items()
    }  # fmt: skip


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _target(reached: float | None, target: float | None) -> str:
    if target is None:
        return "-"
    if reached is None:
        return f"{target}: not asked"
    return f"{target}: {'met' if reached >= target else 'MISSED'}"
