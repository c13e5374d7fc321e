"""`msgtrace export jsonschema`: a JSON Schema file (2020-12) for each event type and version, and an index of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.opening import db_option, rules_option, studied
from msgtrace_analysis.commands.writing import check_own, index_of, put, take_away
from msgtrace_analysis.passes import span_ns
from msgtrace_analysis.passes.contracts import contracts
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.practices import recording
from msgtrace_analysis.renderers.file_names import INDEX
from msgtrace_analysis.renderers.schema_files import MARKS, render

if TYPE_CHECKING:
    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.rules import Rules


@click.command()
@db_option
@rules_option
@choice_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("schemas"), show_default=True,
              help="Folder to write to; made if missing.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over files that are not msgtrace's.")
def jsonschema(db: Path, rules: Rules, choice: Choice, out: Path, force: bool) -> None:  # noqa: FBT001 - click passes by name
    """Write a JSON Schema file (2020-12) for each event type and version, and index.json.

    The same trace gives the same bytes. All are written or none; files that the index before named, and this one doesn't, are
    taken away.
    """
    with studied(db, rules, choice.since) as study:
        extent = recording(study)
        wanted = [event for event in catalogue(study, span_ns(extent), rules) if choice.wants(event)]
        found = {contract.event: contract for contract in contracts(study, {event.ref for event in wanted})}
    files = render([(event, found[event.ref]) for event in wanted if event.ref in found], extent.trace_id)
    if not force:
        for name in files:
            check_own(out / name, *MARKS)
    before = index_of(out, *MARKS)
    put({out / name: content for name, content in files.items()})
    take_away(out, before, files, MARKS)
    click.echo(out / INDEX)
    click.echo(f"msgtrace: {len(files) - 1} schemas of {len(wanted)} event types", err=True)
