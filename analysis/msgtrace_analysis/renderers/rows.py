"""Writes rows for a quick look: a table for people, JSON or CSV for programs. Only rich asks anything of a terminal."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from msgtrace_analysis.renderers.markdown import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

Format = Literal["table", "json", "csv"]
FORMATS: Final[tuple[Format, ...]] = ("table", "json", "csv")
CELL_CHARACTERS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Rows:
    """What is shown.

    Attributes:
        columns: names.
        rows: a value for every column: text, numbers, None, lists, or dictionaries.
        nothing: the sentence that stands for no rows in a table.
        spare: columns that a terminal's table does without, the first first, until the others fit into it.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    nothing: str
    spare: tuple[str, ...] = ()


def render(shown: Rows, form: Format, *, terminal: bool) -> str:
    """Everything, ending in a newline.

    Args:
        shown: the rows.
        form: how.
        terminal: a table may use colour and the terminal's width; else it is plain, and nothing in it is cut.
    """
    if form == "json":
        return as_json(shown)
    if form == "csv":
        return as_csv(shown)
    if not shown.rows:
        return f"{shown.nothing}\n"
    return _on_terminal(shown) if terminal else as_text(shown)


def as_json(shown: Rows) -> str:
    """An array of objects."""
    objects = [dict(zip(shown.columns, row, strict=True)) for row in shown.rows]
    return (
        json.dumps(objects, indent=2, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace").decode()
        + "\n"
    )


def as_csv(shown: Rows) -> str:
    """A line of names, and a line a row; lists and the like are JSON (RFC 4180, but for the line ends)."""
    lines = [_csv_line(shown.columns), *(_csv_line([_flat(value) for value in row]) for row in shown.rows)]
    return "".join(lines).encode("utf-8", "backslashreplace").decode()


def _csv_line(values: Sequence[str]) -> str:
    out = io.StringIO()
    # With "\n" for its line ends, the writer would leave a lone "\r" in a value without quotes.
    csv.writer(out, lineterminator="\r\n").writerow(values)
    return out.getvalue().removesuffix("\r\n") + "\n"


def as_text(shown: Rows) -> str:
    """Aligned columns."""
    cells = [list(shown.columns), *([cell(value) for value in row] for row in shown.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = _numeric(shown)
    lines = [
        "  ".join(
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join(lines) + "\n"


def _on_terminal(shown: Rows) -> str:
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    console = Console()
    shown = _fitted(shown, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, number in zip(shown.columns, _numeric(shown), strict=True):
        table.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=number)
    for row in shown.rows:
        table.add_row(*(Text(cell(value)) for value in row))
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def _fitted(shown: Rows, width: int) -> Rows:
    """Without so many spare columns as the others need to stand side by side."""
    wide = {
        name: max(len(name), *(len(cell(row[place])) for row in shown.rows)) for place, name in enumerate(shown.columns)
    }
    spare = list(shown.spare)
    while spare and sum(wide.values()) + 2 * (len(wide) - 1) > width:
        del wide[spare.pop(0)]
    kept = [place for place, name in enumerate(shown.columns) if name in wide]
    return Rows(tuple(wide), [tuple(row[place] for place in kept) for row in shown.rows], shown.nothing)


def _numeric(shown: Rows) -> list[bool]:
    """Which columns hold numbers only."""
    columns: list[tuple[Any, ...]] = list(zip(*shown.rows, strict=True)) or [()] * len(shown.columns)
    return [
        bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
        for column in columns
        for known in [[value for value in column if value is not None]]
    ]


def cell(value: Any) -> str:
    """A value as it is shown to people: on one line, without control characters."""
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return visible(", ".join(value), CELL_CHARACTERS)
    return visible(_flat(value), CELL_CHARACTERS)


def _flat(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
