"""`msgtrace resilience`: a score, where it comes from, and what would raise it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from msgtrace_analysis.commands.choosing import since_option
from msgtrace_analysis.commands.opening import db_option, format_option, rules_option, show, studied
from msgtrace_analysis.passes import resilience_of
from msgtrace_analysis.renderers.rows import Rows

if TYPE_CHECKING:
    from pathlib import Path

    from msgtrace_analysis.commands.choosing import Since
    from msgtrace_analysis.findings import Criterion, Resilience
    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_analysis.rules import Rules


NOTHING: Final = "Nothing in this trace goes through a broker: there is nothing to score."


@click.command()
@db_option
@rules_option
@since_option
@click.option("--checks", is_flag=True, help="A row for each check: what it rests on, and what would raise it.")
@format_option
def resilience(db: Path, rules: Rules, since: Since | None, checks: bool, form: Format) -> None:  # noqa: FBT001 - click passes by name
    """How well the system stands failure: points of 100, what is unknown counted as not earned.

    docs/resilience.md has the formula.
    """
    with studied(db, rules, since) as study:
        found = resilience_of(study)
    show(check_rows(found) if checks else score_rows(found), form)


def score_rows(found: Resilience) -> Rows:
    """One row per subject."""
    columns = ("scope", "subject", "points", "best", "known", "failed", "partly", "unknown")
    rows = [
        (
            score.scope, f"{score.system} {score.subject}".strip(), score.points, score.best, score.known,
            *(_named(score.criteria, state) for state in ("fail", "partly", "unknown")),
        )
        for score in found.scores
    ]  # fmt: skip
    return Rows(
        columns,
        rows,
        NOTHING,
        spare=("partly", "known"),
    )


def _named(criteria: tuple[Criterion, ...], state: str) -> list[str] | None:
    return [each.name for each in criteria if each.state == state] or None


def check_rows(found: Resilience) -> Rows:
    """One row per check of a subject."""
    columns = (
        "scope",
        "subject",
        "check",
        "state",
        "weight",
        "share",
        "because",
        "would_raise_it",
        "certainty",
        "examples",
    )
    rows: list[tuple[Any, ...]] = [
        (
            score.scope, score.subject, each.name, each.state, each.weight, each.share, sentence(each), each.remedy or None,
            each.certainty, None if each.evidence is None else list(each.evidence.examples),
        )
        for score in found.scores
        for each in score.criteria
    ]  # fmt: skip
    return Rows(columns, rows, NOTHING,
                spare=("examples", "certainty", "share", "would_raise_it"))  # fmt: skip


def sentence(criterion: Criterion) -> str:
    """A check's reason as a sentence."""
    return criterion.reason.format(
        *criterion.names, n=0 if criterion.evidence is None else criterion.evidence.operations
    )
