"""A recorded trace as files small enough to be kept beside tests: a Parquet file for each table, nothing of where it was made.

keep(trace, folder)      # writes them
restored(folder, path)   # makes a trace of them again, with the same rows
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from integration.shop_program import REPOSITORY
from msgtrace_collectors.trace_file import open_for_writing

if TYPE_CHECKING:
    from collections.abc import Iterator

ELSEWHERE: Final = (
    (f"{REPOSITORY}/.venv/bin", "/usr/bin"),
    (str(Path(sys.executable).parent), "/usr/bin"),
    (str(REPOSITORY), "/srv/shop"),
    (os.uname().nodename, "shop-host"),
)
"""What is written in place of folders and the name of the machine."""
TEXTS: Final = ("VARCHAR", "JSON")


def keep(trace: Path, folder: Path) -> None:
    """Write the tables of a trace that have rows."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in folder.glob("*.parquet"):
        each.unlink()
    with duckdb.connect(str(trace), read_only=True) as database:
        for schema, name in _tables(database):
            kinds = database.execute(
                "select column_name, data_type from duckdb_columns() where schema_name = $1 and table_name = $2 order by column_index",
                [schema, name],
            ).fetchall()
            columns = ", ".join(_elsewhere(column) if kind in TEXTS else f'"{column}"' for column, kind in kinds)
            ((rows,),) = database.execute(f'select count(*) from {schema}."{name}"').fetchall()
            if rows:
                place = folder / f"{schema}.{name}.parquet"
                database.execute(
                    f'copy (select {columns} from {schema}."{name}" order by rowid) to {_quoted(str(place))} '
                    "(format parquet, compression zstd, compression_level 19)"
                )


def restored(folder: Path, path: Path) -> Path:
    """A trace with the rows that were kept."""
    open_for_writing(path).close()  # which, open, reads no other files
    with duckdb.connect(str(path)) as database:
        for schema, name in _tables(database):
            database.execute(f'delete from {schema}."{name}"')
            place = folder / f"{schema}.{name}.parquet"
            if place.is_file():
                database.execute(
                    f'insert into {schema}."{name}" by name select * from read_parquet({_quoted(str(place))})'
                )
    return path


def _tables(database: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    found = database.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall()
    yield from found


def _elsewhere(column: str) -> str:
    told = f'"{column}"::varchar'
    for there, here in ELSEWHERE:
        told = f"replace({told}, {_quoted(there)}, {_quoted(here)})"
    return f'{told} as "{column}"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
