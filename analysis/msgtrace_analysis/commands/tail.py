"""`msgtrace tail`: operations as they come while a program is recorded; the last ones where that has ended."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import click

from msgtrace_analysis.commands.opening import db_option, format_option, told
from msgtrace_analysis.commands.sql import tuples
from msgtrace_analysis.commands.writing import say
from msgtrace_analysis.renderers.json_values import time_of
from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.rows import Rows, as_csv
from msgtrace_collectors.trace import TraceError, open_trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_collectors.trace import Trace

PAUSE_S: Final = 0.5
SHARE: Final = 5
"""The collector is left alone for at least so many times as long as it took to answer."""

COLUMNS: Final = (
    "operation_id", "time", "service", "kind", "system", "channel", "routing_key", "event_type", "size", "outcome",
    "error_type", "message_id", "code_site",
)  # fmt: skip

# One row per operation, with the first id of its process: the ids of one process ascend.
_SELECT: Final = """
    select
        operation_id, operation_id - sequence, epoch_ns(observed_at), service, kind, system, channel, routing_key,
        event_type, body_size, outcome, error_type, message_id, coalesce(handler_site, code_site)
    from operations
"""
LAST: Final = f"{_SELECT} order by observed_at desc, operation_id desc limit $1"
KNOWN: Final = "select operation_id - sequence, max(operation_id) from operations group by 1"
MAX_SEQUENCE: Final = 999_999_999_999
"""docs/trace-file.md: `operation_id - sequence` is one number for each process, and these are so far apart."""


@dataclass(slots=True)
class Seen:
    """Up to which operation each process has been shown, by the first id of each."""

    upto: dict[int, int] = field(default_factory=dict)

    def new(self, rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
        """The rows that have not been shown, which from now on have."""
        fresh = [row for row in rows if row[0] > self.upto.get(row[1], 0)]
        for row in fresh:
            self.upto[row[1]] = max(self.upto.get(row[1], 0), row[0])
        return fresh

    def question(self) -> str:
        """SQL for what has not been shown. Numbers only: no text of anybody's goes into it."""
        known = sorted(self.upto.items())
        ranges = [f"operation_id between {last + 1} and {first + MAX_SEQUENCE}" for first, last in known]
        ranges.append(f"operation_id > {max((first for first, _ in known), default=-MAX_SEQUENCE) + MAX_SEQUENCE}")
        return f"{_SELECT} where {' or '.join(ranges)} order by observed_at, operation_id"


@click.command()
@db_option
@format_option
@click.option("-n", "--lines", type=click.IntRange(0), default=10, show_default=True, help="How many older ones first.")
@click.option("--kind", multiple=True, metavar="KIND", help="Only send, receive, settle, ... May be repeated.")
@click.option("--channel", multiple=True, metavar="NAME", help="Only this channel. May be repeated.")
def tail(db: Path, form: Format, lines: int, kind: tuple[str, ...], channel: tuple[str, ...]) -> None:
    """Messages as they come, until the recording ends or Ctrl-C.

    With --format json each line is an object.
    """
    shown = Shown(form, kind, channel)
    try:
        with told():
            _follow(db, lines, shown)
    except KeyboardInterrupt:
        return


def _follow(db: Path, lines: int, shown: Shown) -> None:
    with open_trace(db) as trace:
        seen = Seen(dict(tuples(trace.query(KNOWN))))
        last = tuples(trace.query(LAST, [lines]))
        seen.new(last)
        shown.show(reversed(last))
        if not trace.recording:
            click.echo(f"msgtrace: {db} is not being recorded: these were the last operations", err=True)
            return
        try:
            while trace.recording:
                time.sleep(_answered(trace, seen, shown))
        except TraceError:
            # The collector went away; what it stored last is read below, from the file.
            pass
    with open_trace(db) as trace:
        _answered(trace, seen, shown)
        again = trace.recording
    if again:
        _follow(db, 0, shown)
    else:
        click.echo("msgtrace: the recording has ended", err=True)


def _answered(trace: Trace, seen: Seen, shown: Shown) -> float:
    """Show what is new; how long to wait before asking again."""
    began = time.monotonic()
    shown.show(seen.new(tuples(trace.query(seen.question()))))
    return max(PAUSE_S, SHARE * (time.monotonic() - began))


@dataclass(slots=True)
class Shown:
    """Standard output: what is wanted there, and how."""

    form: Format
    kinds: tuple[str, ...]
    channels: tuple[str, ...]
    _begun: bool = False

    def show(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write a line for each row that is wanted."""
        for row in rows:
            values: dict[str, Any] = dict(zip(COLUMNS, (row[0], time_of(row[2]), *row[3:]), strict=True))
            if self._wanted(values):
                say(self._line(values) + "\n")

    def _wanted(self, values: Mapping[str, Any]) -> bool:
        return (not self.kinds or values["kind"] in self.kinds) and (
            not self.channels or values["channel"] in self.channels
        )

    def _line(self, values: dict[str, Any]) -> str:
        if self.form == "json":
            return json.dumps(values, ensure_ascii=False)
        if self.form == "csv":
            text = as_csv(Rows(COLUMNS, [tuple(values.values())], ""))
            first, _, rest = text.partition("\n")
            line = rest.rstrip("\n")
            begun, self._begun = self._begun, True
            return line if begun else f"{first}\n{line}"
        return line_of(values)


def line_of(values: Mapping[str, Any]) -> str:
    """An operation on one line, for people."""
    where = " ".join(visible(each) for each in (values["channel"], values["routing_key"]) if each)
    outcome = "" if values["outcome"] in {"ok", "unknown"} else values["outcome"]
    rest = " ".join(
        visible(str(each))
        for each in (values["event_type"], outcome, values["error_type"], values["code_site"])
        if each
    )
    size = "" if values["size"] is None else f"{values['size']} B"
    clock = (values["time"] or "")[11:23]
    return (
        f"{clock} {values['operation_id']} {visible(values['service'] or '')} {values['kind'] or '?'}"
        f" {values['system'] or ''} {where} {size} {rest}"
    ).rstrip()
