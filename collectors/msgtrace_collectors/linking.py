"""Joins sends with their receives, effects with their causes, settlements with what they settle: runs the SQL that does.

Rebuilt from scratch each time, in one transaction: the same trace gives the same rows, however often and whenever asked.
"""

from __future__ import annotations

import contextlib
import importlib.resources
from typing import TYPE_CHECKING, Final

import duckdb

from msgtrace_collectors.clocks import align
from msgtrace_collectors.trace_file import trace_error

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS: Final = ("settlements.sql", "causes.sql", "spans.sql")
"""After links are made."""

_LINKED: Final = """
    select
        coalesce((select max(records) from msgtrace_store.linked), 0)
        = coalesce((select sum(records) from msgtrace_store.positions), 0)
"""
_FINISH: Final = """
    delete from msgtrace_store.linked;
    insert into msgtrace_store.linked
    select (select coalesce(sum(records), 0) from msgtrace_store.positions), unknown_causes from unknown_causes;
"""
_DROP: Final = """
    drop table if exists linkable;
    drop table if exists sends;
    drop table if exists unlinked;
    drop table if exists found;
    drop table if exists places;
    drop table if exists settles;
    drop table if exists effects;
    drop table if exists started;
    drop table if exists fetched;
    drop table if exists named;
    drop table if exists named_ids;
    drop table if exists passed_bodies;
    drop table if exists constant_bodies;
    drop table if exists candidates;
    drop table if exists shared_content;
    drop table if exists unknown_causes;
"""


def is_linked(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether links, causes and settlements are those of all operations in the file."""
    row = connection.execute(_LINKED).fetchone()
    return row is not None and bool(row[0])


def link(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make links, causes and settlements anew, unless they are up to date.

    Args:
        connection: to the trace, in no transaction; its temporary tables are used.
        path: of the trace, for errors.

    Raises:
        TraceError: it could not be done; the old rows are still there.
    """
    try:
        if is_linked(connection):
            return
        connection.execute("begin")
        _run(connection, "linkable.sql")
        _run(connection, "links.sql")
        if align(connection):
            # By times that can be right.
            _run(connection, "links.sql")
        for script in SCRIPTS:
            _run(connection, script)
        connection.execute(_FINISH)
        connection.execute(_DROP)
        connection.execute("commit")
    except duckdb.Error as error:
        with contextlib.suppress(duckdb.Error):  # it may have ended with the failed statement
            connection.execute("rollback")
        raise trace_error(path, error) from error


def _run(connection: duckdb.DuckDBPyConnection, script: str) -> None:
    connection.execute(importlib.resources.files("msgtrace_collectors").joinpath(script).read_text())
