"""`msgtrace export jsonschema`: a JSON Schema file (2020-12) for each event type and version, and an index of them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.opening import db_option, rules_option, studied
from msgtrace_analysis.commands.writing import check_own, put
from msgtrace_analysis.passes import span_ns
from msgtrace_analysis.passes.contracts import contracts
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.practices import recording
from msgtrace_analysis.renderers.schema_files import INDEX, INDEX_MARK, MARK, render, written_before

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

    The same trace gives the same bytes. The index is written last; files that the index before it named, and this one
    doesn't, are taken away.
    """
    with studied(db, rules, choice.since) as study:
        extent = recording(study)
        wanted = [event for event in catalogue(study, span_ns(extent), rules) if choice.wants(event)]
        found = {contract.event: contract for contract in contracts(study, {event.ref for event in wanted})}
    files = render([(event, found[event.ref]) for event in wanted if event.ref in found], extent.trace_id)
    if not force:
        for name in files:
            check_own(out / name, INDEX_MARK if name == INDEX else MARK)
    before = _named_before(out / INDEX)
    for name, content in files.items():
        put(out / name, content)
    for name in sorted(before - files.keys()):
        _take_away(out / name)
    click.echo(out / INDEX)
    click.echo(f"msgtrace: {len(files) - 1} schemas of {len(wanted)} event types", err=True)


def _named_before(index: Path) -> set[str]:
    try:
        return written_before(index.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return set()


def _take_away(path: Path) -> None:
    """A schema that there is no more, if it still is ours."""
    with suppress(OSError, click.ClickException):
        if path.is_symlink():
            return
        check_own(path, MARK)
        path.unlink(missing_ok=True)
