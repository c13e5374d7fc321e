"""`msgtrace export asyncapi`: an AsyncAPI 3.1 document for the system, or for one service, or for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from msgtrace_analysis.commands.opening import db_option, opened, rules_option
from msgtrace_analysis.commands.writing import check_own, index_of, put, say, take_away
from msgtrace_analysis.passes import examine
from msgtrace_analysis.renderers.asyncapi import MARKS, document, each_service, render, services, system
from msgtrace_analysis.study import Study

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Findings
    from msgtrace_analysis.rules import Rules


@click.command()
@db_option
@rules_option
@click.option("--service", metavar="NAME", help="Only what this service sends and receives.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False),
              help="Folder to write one document for the system and one for each service to; made if missing.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over files that are not msgtrace's.")
def asyncapi(db: Path, rules: Rules, service: str | None, out: Path | None, force: bool) -> None:  # noqa: FBT001 - click passes by name
    """Write an AsyncAPI 3.1 document to standard output, or all of them to a folder.

    In-process buses are no APIs and left out. The same trace gives the same bytes.
    """
    if service is not None and out is not None:
        raise click.UsageError("--service writes one document to standard output; leave it or --out away")
    with opened(db) as trace, Study(trace) as study:
        findings = examine(study, rules)
    if out is not None:
        _write(findings, out, force=force)
        return
    known = services(findings)
    if service is not None and service not in known:
        raise click.ClickException(
            f"no service {service!r} sends or receives over a wire in this trace; there are: {', '.join(known) or 'none'}"
        )
    say(render(document(findings, service)))


def _write(findings: Findings, out: Path, *, force: bool) -> None:
    services = {f"asyncapi/{name}": content for name, content in each_service(findings).items()}
    files = {out / name: content for name, content in ({"asyncapi.yaml": system(findings)} | services).items()}
    if not force:
        for path in files:
            check_own(path, *MARKS)
    before = index_of(out / "asyncapi", *MARKS)
    put(files)
    take_away(out / "asyncapi", before, {path.name for path in files if path.parent != out}, MARKS)
    for path in files:
        click.echo(path)
