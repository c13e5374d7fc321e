"""`msgtrace report`: writes the documents, each whole or not at all, and over nothing that is not its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from msgtrace_analysis.commands.opening import db_option, opened, rules_option
from msgtrace_analysis.commands.writing import check_own, put
from msgtrace_analysis.passes import examine
from msgtrace_analysis.renderers import event_flows, guide
from msgtrace_analysis.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from msgtrace_analysis.rules import Rules

DOCUMENTS: Final[dict[str, Callable[[Findings], str]]] = {
    "EVENT_FLOWS.json": event_flows.render,
    "MESSAGING_GUIDE.md": guide.render,
}
OWN: Final = {
    "EVENT_FLOWS.json": f'"format": "{event_flows.FORMAT}"',
    "MESSAGING_GUIDE.md": guide.MARK,
}
"""What a file of ours has near its beginning."""


@click.command()
@db_option
@rules_option
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), show_default="this folder",
              help="Folder to write to; made if missing.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over files that are not msgtrace's.")
def report(db: Path, rules: Rules, out: Path, force: bool) -> None:  # noqa: FBT001 - click passes by name
    """Write MESSAGING_GUIDE.md and EVENT_FLOWS.json.

    The same trace gives the same bytes.
    """
    if not force:
        for name in DOCUMENTS:
            check_own(out / name, OWN[name])
    with opened(db) as trace, Study(trace) as study:
        findings = examine(study, rules)
    written = {name: render(findings) for name, render in DOCUMENTS.items()}
    for name, content in written.items():
        put(out / name, content)
    for name in written:
        click.echo(out / name)
    if not findings.recording.operations:
        click.echo("msgtrace: the trace is empty, so the documents say little; see `msgtrace doctor`", err=True)
    if findings.recording.recording:
        click.echo("msgtrace: the recording is still going on; write the report again when it has ended", err=True)
    if findings.recording.note:
        click.echo(f"msgtrace: links may be incomplete: {findings.recording.note}", err=True)
