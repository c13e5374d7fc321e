"""What commands share: the options --db and --format, and a trace that is open or an error in one line."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import duckdb

from msgtrace_analysis.commands.writing import say
from msgtrace_analysis.passes import prepare
from msgtrace_analysis.renderers.clock_lines import clock_line
from msgtrace_analysis.renderers.markdown import fenced
from msgtrace_analysis.renderers.rows import FORMATS, render
from msgtrace_analysis.renderers.sample_lines import sample_line
from msgtrace_analysis.rules import NO_RULES, RulesError, read_rules
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import TraceError, open_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from msgtrace_analysis.commands.choosing import Since
    from msgtrace_analysis.renderers.rows import Format, Rows
    from msgtrace_analysis.rules import Rules
    from msgtrace_collectors.trace import Trace

DEFAULT_TRACE: Final = Path(".msgtrace") / "trace.duckdb"


def db_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--db`."""
    return click.option(
        "--db", type=click.Path(path_type=Path), default=DEFAULT_TRACE, show_default=True, help="The trace file."
    )(command)


def format_option(command: Callable[..., Any], more: tuple[str, ...] = ()) -> Callable[..., Any]:
    """Give a command `--format`.

    Args:
        command: the command.
        more: formats that it has besides tables, JSON and CSV.
    """
    return click.option(
        "--format", "form", type=click.Choice((*FORMATS, *more)), default="table", show_default=True,
        help="How it is written.",
    )(command)  # fmt: skip


def drawn_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--format`, with `mermaid` for Markdown with diagrams."""
    return format_option(command, ("mermaid",))


def rules_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--rules`, which it gets as `Rules`."""
    return click.option(
        "--rules", type=click.Path(path_type=Path, dir_okay=False), callback=_read_rules, metavar="FILE",
        envvar="MSGTRACE_RULES", help="Your own names for events, channels and kinds: a TOML file.",
    )(command)  # fmt: skip


def _read_rules(_context: click.Context, _option: click.Parameter, path: Path | None) -> Rules:
    if path is None:
        return NO_RULES
    try:
        return read_rules(path)
    except RulesError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def told() -> Iterator[None]:
    """Turn what keeps a trace from being read into an error in one line.

    Raises:
        click.ClickException: with that line.
    """
    try:
        yield
    except TraceError as error:
        raise click.ClickException(str(error)) from None
    except (duckdb.OutOfMemoryException, duckdb.IOException, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        line = str(error).partition("\n")[0]
        raise click.ClickException(f"the trace was opened, but working on it failed: {line}") from None


@contextmanager
def opened(db: Path) -> Iterator[Trace]:
    """An open trace.

    Raises:
        click.ClickException: it can't be read.
    """
    with told(), open_trace(db) as trace:
        yield trace


@contextmanager
def studied(db: Path, rules: Rules = NO_RULES, since: Since | None = None) -> Iterator[Study]:
    """A trace that is ready for passes.

    Args:
        db: the trace file.
        rules: what the user says about names.
        since: when what is of interest begins.

    Raises:
        click.ClickException: it can't be read.
    """
    with opened(db) as trace, Study(trace) as study:
        if study.note:
            click.echo(f"msgtrace: links may be incomplete: {study.note}", err=True)
        sampled = sample_line(study.sample)
        for line in (sampled and f"a sample: {sampled}", *map(clock_line, study.clocks)):
            if line is not None:
                click.echo(f"msgtrace: {line}", err=True)
        if since is not None:
            ((last,),) = study.rows("select max(observed_ns) from operations")
            study.forget_before(since.begin_ns(last or 0))
        prepare(study, rules)
        yield study


def draw(diagram: str, hidden: int) -> None:
    """Write Markdown with a diagram to standard output, and to standard error how many arrows are left out of it."""
    say(f"{fenced('mermaid', diagram)}\n")
    if hidden:
        click.echo(
            f"msgtrace: {hidden} arrows with fewer messages are left out; choose with --event or --service", err=True
        )


def show(rows: Rows, form: Format) -> None:
    """Write rows to standard output."""
    say(render(rows, form, terminal=sys.stdout.isatty()))
