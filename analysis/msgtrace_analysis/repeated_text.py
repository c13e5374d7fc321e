"""Text that repeats in the copy of a trace: kept as numbers, with a list of what they stand for (DuckDB's ENUM).

Most of what an operation says of itself is one of few texts: its kind, its channel, its place in the code. Groups and joins of
numbers take half of the time that those of text do, and a fifteenth of the memory. Numbers are in the order of the texts, so
that whatever is sorted by them is sorted as the texts are. A copy whose texts are many stays with text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

MANY: Final = 60_000
"""Different texts that are worth a list. A number has two bytes, then."""
TEXT: Final = "varchar"

# One row per text that repeats in the operations of a trace. After `known.sql`.
REPEATED: Final = """
    select kind as word from known_points
    union select system from known_points
    union select client from known_points
    union select process_id from known_processes
    union select service from known_processes
    union select host from known_processes
    union select code_function from known_sites
    union select code_site from known_sites
    union select handler_name from known_handlers
    union select handler_site from known_handlers
    union select server from known_connections
    union select virtual_host from known_connections
    union select value from msgtrace_store.texts
    union select distinct channel from msgtrace_store.operations
    union select distinct channel_kind from msgtrace_store.operations
    union select distinct consumer_group from msgtrace_store.operations
    union select distinct intent from msgtrace_store.operations
    union select distinct outcome from msgtrace_store.operations
    union select distinct channel from msgtrace_store.completions
    union select distinct consumer_group from msgtrace_store.completions
    union select distinct outcome from msgtrace_store.completions
    union select unnest(['', 'ok', 'unknown'])
"""


def text_type(database: duckdb.DuckDBPyConnection, name: str, texts: str) -> str:
    """Make a type of some texts.

    Args:
        database: that it is for.
        name: of the type.
        texts: SQL; its rows have one column.

    Returns:
        the type's name; that of plain text where there are too many.
    """
    listed = f"select cast(word as varchar) as word from ({texts}) as t(word) where word is not null"
    ((many,),) = database.execute(
        f"select count(*) from (select distinct word from ({listed}) limit {MANY + 1})"
    ).fetchall()
    if many > MANY:
        return TEXT
    database.execute(f"create type {name} as enum (select distinct word from ({listed}) order by word)")
    return name
