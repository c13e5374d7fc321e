"""`msgtrace inspect`: reads live brokers into the trace file, also while that is being recorded."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from msgtrace.redaction import Options, Redactor
from msgtrace_collectors.inspection.found import Budget, Found, InspectionError
from msgtrace_collectors.inspection.target import target_of
from msgtrace_collectors.trace import open_trace
from msgtrace_collectors.trace_file import TraceError, open_for_writing

if TYPE_CHECKING:
    from msgtrace_collectors.inspection.target import Target

NEEDS: Final = {"kafka": "kafka-python", "redis": "redis"}
PLURALS: Final = {"policy": "policies"}


@click.command()
@click.argument("urls", metavar="URL...", nargs=-1, required=True, envvar="MSGTRACE_INSPECT_URLS")
@click.option(
    "--db", default=".msgtrace/trace.duckdb", show_default=True, type=click.Path(path_type=Path), help="The trace file."
)
@click.option("--limit", default=10_000, show_default=True, type=click.IntRange(1), help="Things of a kind to read.")
@click.option("--timeout", default=60.0, show_default=True, type=click.FloatRange(1), help="Seconds for one broker.")
@click.option(
    "--every", type=click.FloatRange(1), metavar="SECONDS", help="Read again and again, for depths over time."
)
@click.option("--times", default=None, type=click.IntRange(1), help="How often, with --every.")
def inspect(
    urls: tuple[str, ...], db: Path, limit: int, timeout: float, every: float | None, times: int | None
) -> None:
    """Read how live brokers are set up, and what waits there, into the trace file. Changes nothing on them.

    RabbitMQ's management API (http://..., or amqp://... for its usual port on that host), kafka://host:9092,
    redis://host:6379. User and password from the URL, or MSGTRACE_INSPECT_USER and MSGTRACE_INSPECT_PASSWORD; they are
    never stored.
    """
    try:
        redactor = Redactor(Options.parse(os.environ.get("MSGTRACE_REDACT", "")))
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    rounds = (times or 0) if every else 1
    done = failed = 0
    while True:
        failed = sum(not _inspected(url, db, Budget(limit, timeout), redactor) for url in urls)
        done += 1
        if every is None or done == rounds:
            break
        time.sleep(every)
    if failed:
        raise SystemExit(1)


def _inspected(url: str, db: Path, budget: Budget, redactor: Redactor) -> bool:
    """Inspect one broker and say so; whether it worked."""
    target: Target | None = None
    try:
        target = target_of(url, os.environ)
        found = _reader(target)(target, budget)
        if not db.exists():
            open_for_writing(db).close()
        with open_trace(db) as trace:
            for part in found.parts(redactor):
                trace.keep(part)
    except InspectionError as error:
        where = f"{target.system} at {target.server}: " if target is not None else ""
        click.echo(f"msgtrace: {where}{error}", err=True)
        return False
    except TraceError as error:
        raise click.ClickException(str(error)) from None
    click.echo(_said(found))
    return True


def _reader(target: Target):  # type: ignore[no-untyped-def]  # noqa: ANN202
    try:
        return importlib.import_module(f"msgtrace_collectors.inspection.{target.system}").inspect
    except ModuleNotFoundError as error:
        needed = NEEDS.get(target.system, str(error.name))
        raise InspectionError(f"{needed} is not installed here: pip install 'msgtrace[inspect]'") from None


def _said(found: Found) -> str:
    """What was found, in a line, and what was not."""
    counts = [f"{count:,} {_named(kind, count)}" for kind, count in sorted(found.counts().items())]
    lines = [
        f"{found.system} {found.version} at {found.server}".replace("  ", " ") + f": {', '.join(counts) or 'empty'}"
    ]
    lines += [f"  left out, beyond --limit: {count:,} {name}" for name, count in sorted(found.left_out.items())]
    lines += [f"  not read: {name}: {why}" for name, why in sorted(found.unreadable.items())]
    return "\n".join(lines)


def _named(kind: str, count: int) -> str:
    return kind if count == 1 else PLURALS.get(kind, f"{kind}s")
