"""Rows as tables, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.renderers.rows import Rows, render
from tests.analysis.hostile import NAMES

values = (
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(NAMES) | st.lists(st.text(max_size=5), max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)  # fmt: skip
tables = st.lists(st.tuples(values, values, values), max_size=4)


def rows_of(rows: list[tuple[Any, ...]]) -> Rows:
    return Rows(("a", "b", "c"), rows, "Nothing here.")


@given(tables)
def test_json_is_an_array_of_objects(rows: list[tuple[Any, ...]]) -> None:
    read = json.loads(render(rows_of(rows), "json", terminal=False))
    assert read == [dict(zip("abc", row, strict=True)) for row in rows]


@given(st.lists(st.tuples(st.text(), st.text() | st.sampled_from(NAMES), st.integers()), max_size=4))
def test_csv_comes_back_as_it_was(rows: list[tuple[str, str, int]]) -> None:
    written = render(rows_of(list(rows)), "csv", terminal=False)
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert read == [["a", "b", "c"], *([first, second, str(third)] for first, second, third in rows)]


@given(tables)
def test_a_table_has_a_line_a_row_and_nothing_that_moves_the_cursor(rows: list[tuple[Any, ...]]) -> None:
    written = render(rows_of(rows), "table", terminal=False)
    assert len(written.splitlines()) == written.count("\n") == 1 + len(rows)
    assert "\x1b" not in written.replace("\n", "")
    assert "\r" not in written


def test_a_terminal_gets_no_control_characters_of_others() -> None:
    written = render(rows_of([(name, [name], {name: name}) for name in NAMES]), "table", terminal=True)
    assert "\x1b[31m" not in written
    assert "\u202e" not in written


def test_a_small_table() -> None:
    shown = rows_of([("x", 7, None), ("long name", 12, ["p", "q"])])
    assert render(shown, "table", terminal=False) == "a           b  c\nx           7\nlong name  12  p, q\n"


def test_no_rows_are_a_sentence_in_a_table_only() -> None:
    assert render(rows_of([]), "table", terminal=False) == "Nothing here.\n"
    assert render(rows_of([]), "json", terminal=False) == "[]\n"
    assert render(rows_of([]), "csv", terminal=False) == "a,b,c\n"
