"""`msgtrace report`: writes the documents, all of them or none, and over nothing that is not its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.narrowing import narrowed
from msgtrace_analysis.commands.opening import db_option, opened, rules_option
from msgtrace_analysis.commands.progress import told_steps
from msgtrace_analysis.commands.rendering import names_of, rendered
from msgtrace_analysis.commands.writing import check_own, index_of, put, say, take_away
from msgtrace_analysis.passes import examine
from msgtrace_analysis.renderers.documents import DOCUMENTS, FORMS
from msgtrace_analysis.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.commands.rendering import Written
    from msgtrace_analysis.findings import Findings, Recording
    from msgtrace_analysis.rules import Rules

OUTPUT: Final = Path("-")
"""Standard output."""
MEMORY: Final = "memory/"
"""The folder that `--memory` puts elsewhere."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where documents go.

    Attributes:
        out: the folder.
        memory: where the memory files go; None for a folder in `out`.
    """

    out: Path
    memory: Path | None = None

    def of(self, path: str) -> Path:
        """The place of a document or of a file in one."""
        if self.memory is not None and path.startswith(MEMORY):
            return self.memory / path.removeprefix(MEMORY)
        return self.out / path


@click.command()
@db_option
@rules_option
@choice_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False, allow_dash=True), default=Path(),
              show_default="this folder",
              help="Folder to write to, made if missing; - is standard output, for one document.")  # fmt: skip
@click.option("--memory", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", show_default="memory in --out",
              help="Folder for the memory files, e.g. .claude/memory/messaging.")  # fmt: skip
@click.option("--only", multiple=True, metavar="NAME",
              help="Only this document, or file of a folder; may be repeated. "
                   f"There are: {', '.join(DOCUMENTS)}.")  # fmt: skip
@click.option(
    "--format", "forms", multiple=True, type=click.Choice(FORMS), help="Only documents of this form; may be repeated."
)
@click.option("--force", is_flag=True, help="Write over files that are not msgtrace's.")
def report(
    db: Path,
    rules: Rules,
    choice: Choice,
    out: Path,
    memory: Path | None,
    only: tuple[str, ...],
    forms: tuple[str, ...],
    force: bool,  # noqa: FBT001 - click passes by name
) -> None:
    """Write the documents: the guide, EVENT_FLOWS.json, a page to look at, AsyncAPI, JSON Schema, alert rules, memory.

    The same trace gives the same bytes. All are written or none. With --service, --channel or --event they are about what was
    chosen and what belongs to the same flows.
    """
    began = time.perf_counter()
    names, places = chosen(only, forms), Places(out, memory)
    if out == OUTPUT and len(names) != 1:
        raise click.UsageError("--out - writes one document: name it with --only")
    if out != OUTPUT and not force:
        for name in names:
            if not name.endswith("/"):  # before the work; what is in folders is known after it
                check_own(places.of(name), *DOCUMENTS[name].marks)
    with told_steps() as step:
        findings = _examined(db, rules, choice, step)
        written = rendered(names, findings, only, step)
    if out == OUTPUT:
        _say(written[0])
    else:
        _write(written, places, force=force)
        click.echo(f"msgtrace: written in {time.perf_counter() - began:.1f} s", err=True)
    warn(findings.recording)


def _examined(db: Path, rules: Rules, choice: Choice, step: Callable[[str], None]) -> Findings:
    """The findings about what was chosen of a trace."""
    step("reading the trace")
    with opened(db) as trace, Study(trace) as study:
        if choice.since is not None and study.extent is not None:
            study.forget_before(choice.since.begin_ns(study.extent[1]))
        findings = examine(study, rules, step)
        narrow = narrowed(findings, choice)
    return replace(narrow, recording=replace(narrow.recording, chosen=choice.said))


def chosen(only: Sequence[str], forms: Iterable[str]) -> list[str]:
    """The names of the documents that are wanted.

    Raises:
        click.UsageError: there is none such.
    """
    wanted = set()
    for each in only:
        named = {name for name in DOCUMENTS if each in names_of(name) or (name.endswith("/") and each.startswith(name))}
        if not named:
            raise click.UsageError(f"--only {each}: there is no such document; there are: {', '.join(DOCUMENTS)}")
        wanted |= named
    fitting = set(forms or FORMS)
    kept = [name for name, entry in DOCUMENTS.items() if (name in wanted or not only) and entry.form in fitting]
    if not kept:
        raise click.UsageError("none of these documents has that --format")
    return kept


def _say(written: Written) -> None:
    if len(written.files) != 1:
        raise click.UsageError(f"{written.name} has several files; name one: --only {next(iter(written.files))}")
    say(next(iter(written.files.values())))


def _write(documents: Iterable[Written], places: Places, *, force: bool) -> None:
    """Write all of them, take away what was of the same folders and is no more, and say so."""
    files: dict[Path, str] = {}
    before = {}
    for each in documents:
        marks = DOCUMENTS[each.name].marks
        for path, content in each.files.items():
            if not force:
                check_own(places.of(path), *marks)
            files[places.of(path)] = content
        if each.folder and len(each.files) > 1:
            before[each.name] = index_of(places.of(each.name), *marks)
    sizes = put(files)
    for each in documents:
        place = places.of(each.name)
        if each.name in before:
            take_away(place, before[each.name], {Path(path).name for path in each.files}, DOCUMENTS[each.name].marks)
        size = sum(sizes[places.of(path)] for path in each.files)
        shown = (
            f"{place}/  {size_text(size)}, {len(each.files)} files" if each.folder else f"{place}  {size_text(size)}"
        )
        click.echo(f"{shown}, {each.seconds:.2f} s", err=True)


def size_text(size: int) -> str:
    """Bytes, for people.

    >>> size_text(999), size_text(12_345), size_text(2_000_000)
    ('999 B', '12.3 kB', '2.0 MB')
    """
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1_000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def warn(recording: Recording) -> None:
    """Say what a reader should know before relying on the documents."""
    if not recording.operations:
        click.echo("msgtrace: the trace is empty, so the documents say little; see `msgtrace doctor`", err=True)
    if recording.recording:
        click.echo("msgtrace: the recording is still going on; write the report again when it has ended", err=True)
    if recording.note:
        click.echo(f"msgtrace: links may be incomplete: {recording.note}", err=True)
