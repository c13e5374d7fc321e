"""`msgtrace sql`: a question of the user's own about a trace, read-only."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa

from msgtrace_analysis.commands.opening import db_option, format_option, opened
from msgtrace_analysis.renderers.rows import Rows, render
from msgtrace_collectors.trace import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_collectors.trace import Trace


@click.command()
@click.argument("statement", metavar="SQL")
@db_option
@format_option
def sql(statement: str, db: Path, form: Format) -> None:
    """Ask the trace with SQL; `-` reads it from standard input.

    The views are described in docs/trace-file.md: operations, links, causes, settlements, topology, processes,
    handlers, losses.

    Example: msgtrace sql "select kind, channel, count(*) from operations group by all"
    """
    if statement == "-":
        statement = sys.stdin.read()
    with opened(db) as trace:
        answer = trace.query(statement)
        nested = _json_columns(trace, statement) if form == "json" else set()
    rows = [
        tuple(_read(value) if place in nested else value for place, value in enumerate(row)) for row in tuples(answer)
    ]
    sys.stdout.write(render(Rows(distinct(answer.column_names), rows, "No rows."), form, terminal=sys.stdout.isatty()))
    sys.stdout.flush()


def _json_columns(trace: Trace, statement: str) -> set[int]:
    """Places of the columns of type JSON, which Arrow takes for text."""
    try:
        described = tuples(trace.query(f"describe {statement}"))
    except QueryError:
        return set()  # nothing that DuckDB describes: EXPLAIN
    return {place for place, (_, kind, *_) in enumerate(described) if kind == "JSON"}


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Column names as keys: what repeats gets a number.

    >>> distinct(["a", "b", "a"])
    ('a', 'b', 'a_2')
    """
    seen: dict[str, int] = {}
    for name in names:
        known = name
        while known in seen:
            seen[name] += 1
            known = f"{name}_{seen[name]}"
        seen[known] = 1
    return tuple(seen)


def tuples(answer: pa.Table) -> list[tuple[Any, ...]]:
    """An answer's rows, of values that JSON knows."""
    return list(zip(*(_values(column) for column in answer.columns), strict=True))


def _values(column: pa.ChunkedArray[Any]) -> list[Any]:
    if pa.types.is_timestamp(column.type) or pa.types.is_time(column.type) or pa.types.is_duration(column.type):
        # Nanoseconds, which Python's own types don't have.
        return column.cast(pa.string()).to_pylist()
    return [_plain(each) for each in column.to_pylist()]


def _plain(value: Any) -> Any:
    """Bytes as text where they are, else in base64; numbers of any size as numbers; the rest as it is written."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return f"base64:{base64.b64encode(value).decode()}"
        case list() | tuple():
            return [_plain(each) for each in value]
        case dict():
            return {str(key): _plain(each) for key, each in value.items()}
    number = str(value)
    return int(number) if number.lstrip("-").isdecimal() else number
