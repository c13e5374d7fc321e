"""`msgtrace diff BASE HEAD`: what is different in another run, and whether it breaks those who rely on the first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from msgtrace_analysis.commands.opening import opened, rules_option, show
from msgtrace_analysis.commands.writing import say
from msgtrace_analysis.comparing.compare import compare
from msgtrace_analysis.comparing.run import ReportError, read_run
from msgtrace_analysis.findings.differences import MEASURED
from msgtrace_analysis.passes import examine
from msgtrace_analysis.renderers import event_flows
from msgtrace_analysis.renderers.diff_markdown import markdown
from msgtrace_analysis.renderers.diff_rows import as_json, ordered, rows
from msgtrace_analysis.study import Study

if TYPE_CHECKING:
    from msgtrace_analysis.comparing.run import Run
    from msgtrace_analysis.findings.differences import Compatibility, Delta
    from msgtrace_analysis.rules import Rules

FORMATS: Final = ("table", "markdown", "json", "junit")
REPORT: Final = "EVENT_FLOWS.json"
Fail = Literal["breaking", "any"]


@click.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("head", type=click.Path(path_type=Path))
@rules_option
@click.option("--fail-on", type=click.Choice(("breaking", "any")),
              help="End with exit code 1 if there is such a difference; latencies and rates never count.")  # fmt: skip
@click.option("--compatibility", type=click.Choice(("forward", "backward", "full", "none")), default="forward",
              show_default=True, help="What changes of bodies must keep; forward: readers of BASE read HEAD's.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True,
              help="How it is written; markdown is for a comment on a pull request.")  # fmt: skip
def diff(base: Path, head: Path, rules: Rules, fail_on: Fail | None, compatibility: Compatibility, form: str) -> None:
    """Compare two runs: trace files, EVENT_FLOWS.json, or folders of a report with it.

    Event types, fields, versions, parties, flows, retry policies, latencies and rates that appeared, vanished or changed. What
    too few messages can't tell is said to be not seen, and breaks nothing. docs/diff.md says what counts as breaking. The same
    runs give the same bytes.
    """
    runs = _run(base, rules), _run(head, rules)
    try:
        found = compare(*runs, compatibility)
    except ValueError as error:
        raise click.ClickException(f"{base}, {head}: {error}; write the report again with `msgtrace report`") from None

    def fails(delta: Delta) -> bool:
        return bool(delta.breaking) or (fail_on == "any" and delta.aspect not in MEASURED)

    if form == "table":
        show(rows(found), "table")
    elif form == "junit":
        from msgtrace_analysis.renderers.diff_junit import junit  # noqa: PLC0415 - nothing else needs its library

        say(junit(found, fails))
    else:
        say(markdown(found) if form == "markdown" else as_json(found))
    failing = [each for each in ordered(found) if fails(each)]
    if fail_on and failing:
        first = failing[0]
        names = " ".join(each for each in (first.subject, first.part) if each)
        raise click.ClickException(
            f"{len(failing)} {'breaking difference' if fail_on == 'breaking' else 'difference'}"
            f"{'' if len(failing) == 1 else 's'} between {base} and {head}; the first: {first.aspect} {names!r} {first.how}"
        )


def _run(path: Path, rules: Rules) -> Run:
    """A run, from a trace file or what was saved of it.

    Raises:
        click.ClickException: it is neither.
    """
    saved = path / REPORT if path.is_dir() else path
    try:
        with saved.open("rb") as file:
            is_trace = file.read(12)[8:] == b"DUCK"
        if not is_trace and (path.is_dir() or saved.suffix == ".json"):
            return read_run(saved.read_text(encoding="utf-8"))
    except ReportError as error:
        raise click.ClickException(f"{saved}: {error}") from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{saved}: is no JSON: it is not UTF-8") from None
    except OSError as error:
        hint = "; `msgtrace report` writes one" if path.is_dir() else ""
        raise click.ClickException(f"{saved}: {error.strerror or error}{hint}") from None
    with opened(path) as trace, Study(trace) as study:
        return read_run(event_flows.render(examine(study, rules)))
