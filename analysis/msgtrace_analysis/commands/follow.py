"""`msgtrace follow ID`: everything about one operation, message or correlation id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from msgtrace_analysis.commands.opening import db_option, format_option, opened, show
from msgtrace_analysis.commands.sql import tuples
from msgtrace_analysis.commands.writing import say
from msgtrace_analysis.passes.chain import (
    MAX_OPERATIONS,
    NAMED,
    OPERATIONS,
    RELATED,
    STEPS,
    Bond,
    Line,
    operations_of,
    tree,
)
from msgtrace_analysis.renderers.json_values import time_of
from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.rows import Rows, cell
from msgtrace_collectors.trace import TraceError

if TYPE_CHECKING:
    from pathlib import Path

    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_collectors.trace import Trace

DETAILED: Final = 3
"""So many of the operations that an id names are shown with all that is known of them."""

# Everything about one operation, but for what the line in the tree says, and bytes that are no text.
DETAILS: Final = """
    select * exclude (raw_headers, body, sequence, monotonic_ns, handler_id)
    from operations
    where operation_id = $1
"""


@click.command()
@click.argument("identity", metavar="ID")
@db_option
@format_option
def follow(identity: str, db: Path, form: Format) -> None:
    """Everything about one message: what it followed from, who received and settled it, what came of it.

    ID is an operation's id, a message id, a correlation id, a trace id, or the broker's own name for a message.
    """
    with opened(db) as trace:
        linked(trace)
        named = [row[0] for row in tuples(trace.query(NAMED, [identity]))]
        if not named:
            raise click.ClickException(
                f"{identity}: nothing in {db} has this id: no operation, message, correlation or trace"
            )
        related = [row[0] for row in tuples(trace.query(RELATED, [named[:MAX_OPERATIONS]]))]
        chosen = related[:MAX_OPERATIONS]
        operations = operations_of(tuples(trace.query(OPERATIONS, [chosen])))
        bonds = [Bond(*row) for row in tuples(trace.query(STEPS, [chosen]))]
        details = [_details(trace, each) for each in named[:DETAILED]] if form == "table" else []
    lines = list(tree(operations, bonds))
    if form == "table":
        say("\n".join([*(_block(each) for each in details), *_drawn(lines, set(named))]) + "\n")
    else:
        show(_rows(lines, set(named)), form)
    if len(related) > MAX_OPERATIONS or len(named) > MAX_OPERATIONS:
        click.echo(f"msgtrace: there are more; these are the nearest {MAX_OPERATIONS} operations", err=True)


def linked(trace: Trace) -> None:
    """Bring links up to date, or say why they are not."""
    try:
        trace.link()
    except TraceError as error:
        click.echo(f"msgtrace: links may be incomplete: {error}", err=True)


def _details(trace: Trace, operation: int) -> dict[str, Any]:
    answer = trace.query(DETAILS, [operation])
    (row,) = tuples(answer)
    return {
        name: value for name, value in zip(answer.column_names, row, strict=True) if value not in (None, "", False, 0)
    }


def _block(details: dict[str, Any]) -> str:
    width = max(map(len, details))
    return "\n".join(f"{name.ljust(width)}  {cell(value)}" for name, value in details.items()) + "\n"


def _drawn(lines: list[Line], named: set[int]) -> list[str]:
    first = min((each.operation.observed_ns for each in lines if each.operation.observed_ns is not None), default=None)
    return [_line(line, first, wanted=line.operation.operation_id in named) for line in lines]


def _line(line: Line, first_ns: int | None, *, wanted: bool) -> str:
    each = line.operation
    after = "" if first_ns is None or each.observed_ns is None else f"+{(each.observed_ns - first_ns) / 1e6:.3f} ms"
    where = " ".join(visible(part) for part in (each.channel, each.routing_key, each.event_type) if part)
    outcome = "" if each.outcome in {None, "ok"} else f"[{each.outcome}]"
    error = " ".join(visible(part) for part in (each.error_type, each.error_message) if part)
    site = f"at {visible(each.site)}" if each.site else ""
    bond = "" if line.bond is None else f"{_bond(line.bond)} "
    others = "".join(f" (also {_bond(other)} by {other.before})" for other in line.others)
    text = f"{bond}{visible(each.service)} {each.kind} {each.system or ''} {where} {outcome} {error} {site}"
    mark = "*" if wanted else " "
    indent = f"{'  ' * line.depth}└ " if line.depth else ""
    return f"{mark} {after:>14} {indent}{' '.join(text.split())} #{each.operation_id}{others}"


def _bond(bond: Bond) -> str:
    return bond.how if bond.certainty == "exact" else f"{bond.how} ({bond.certainty})"


def _rows(lines: list[Line], named: set[int]) -> Rows:
    """One row per operation, in time order, with what it belongs to."""
    columns = (
        "operation_id",
        "named",
        "time",
        "service",
        "kind",
        "system",
        "channel",
        "routing_key",
        "event_type",
        "message_id",
        "correlation_id",
        "size",
        "outcome",
        "error_type",
        "error_message",
        "site",
        "duration_ms",
        "follows",
    )
    rows = []
    for line in sorted(lines, key=lambda line: (line.operation.observed_ns or 0, line.operation.operation_id)):
        each = line.operation
        bonds = [*([] if line.bond is None else [line.bond]), *line.others]
        rows.append(
            (
                each.operation_id,
                each.operation_id in named,
                time_of(each.observed_ns),
                each.service,
                each.kind,
                each.system,
                each.channel,
                each.routing_key,
                each.event_type,
                each.message_id,
                each.correlation_id,
                each.body_size,
                each.outcome,
                each.error_type,
                each.error_message,
                each.site,
                None if each.duration_ns is None else each.duration_ns / 1e6,
                [{"operation_id": b.before, "how": b.how, "certainty": b.certainty, "method": b.method} for b in bonds],
            )
        )
    return Rows(columns, rows, "")
