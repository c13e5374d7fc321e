"""`msgtrace calls`: requests that the traced programs make over HTTP, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from msgtrace_analysis.commands.opening import db_option, format_option, show, studied
from msgtrace_analysis.passes.calls import calls as find_calls
from msgtrace_analysis.passes.calls import note_calls
from msgtrace_analysis.renderers.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from msgtrace_analysis.findings import Call
    from msgtrace_analysis.renderers.rows import Format

NO_CALLS = "No request over HTTP that a traced program made is in this trace."


@click.command()
@db_option
@format_option
def calls(db: Path, form: Format) -> None:
    """Requests that programs make over HTTP: who calls whom, for what, how it ends."""
    with studied(db) as study:
        note_calls(study)
        found = find_calls(study)
    show(call_rows(found), form)


def call_rows(found: Iterable[Call]) -> Rows:
    """One row per place that calls, what it was handling, and address."""
    columns = (
        "service", "code", "site", "while_handling", "method", "server", "path", "calls", "failed", "statuses", "p50_ms",
        "p95_ms", "p99_ms", "certainty", "example",
    )  # fmt: skip
    return Rows(
        columns, [_row(each) for each in found], NO_CALLS, spare=("example", "site", "certainty", "p99_ms", "p50_ms")
    )


def _row(each: Call) -> tuple[Any, ...]:
    took = each.duration
    because = each.because
    return (
        each.caller.service, each.caller.name, each.caller.site,
        None if because is None else because.name or because.site,
        each.method, each.server, each.path, each.evidence.operations, dict(each.failures) or None,
        {str(status): count for status, count in each.statuses} or None,
        *((None, None, None) if took is None else (took.p50_ms, took.p95_ms, took.p99_ms)),
        each.evidence.certainty, next(iter(each.evidence.examples), None),
    )  # fmt: skip
