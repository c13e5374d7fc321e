"""Text that repeats: kept as numbers whose order is that of the texts, and as text where there is too much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis import repeated_text as module
from msgtrace_analysis.repeated_text import TEXT, text_type

if TYPE_CHECKING:
    import pytest

# What a text of a database may hold.
SOME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


@given(st.lists(SOME | st.none(), min_size=1, max_size=20))
def test_numbers_stand_for_the_texts_and_are_in_their_order(texts: list[str | None]) -> None:
    with duckdb.connect() as database:
        database.execute("create table given as select unnest($1::varchar[]) as word", [texts])
        name = text_type(database, "word", "select word from given")
        assert name == "word"
        as_text = database.execute("select word from given order by word nulls last").fetchall()
        as_numbers = database.execute(
            "select number from (select cast(word as word) as number from given) order by number nulls last"
        ).fetchall()
        assert as_numbers == as_text
        assert database.execute(
            "select count(*) from given where cast(word as word) is not distinct from word"
        ).fetchone() == (len(texts),)


def test_too_many_texts_stay_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", 10)
    with duckdb.connect() as database:
        assert text_type(database, "few", "select cast(i % 10 as varchar) from range(100) as t(i)") == "few"
        assert text_type(database, "many", "select cast(i % 11 as varchar) from range(100) as t(i)") == TEXT
