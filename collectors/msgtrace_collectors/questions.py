"""Runs other people's SQL so that it can only read: one statement, a read-only transaction, a time limit."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import duckdb

from msgtrace_collectors.trace_file import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

BATCH_ROWS: Final = 20_000
_READS: Final = {"SELECT", "EXPLAIN"}


@contextmanager
def answered(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any], timeout_s: float | None
) -> Iterator[pa.RecordBatchReader]:
    """Ask one question on a connection that nobody else uses.

    Args:
        connection: closed afterwards by the caller.
        sql: one SELECT, or what DuckDB takes for one (FROM, VALUES, DESCRIBE, SUMMARIZE, ...), or EXPLAIN.
        parameters: for it.
        timeout_s: None for no limit.

    Yields:
        The answer, batch by batch; reading it may raise duckdb.Error, which becomes a QueryError here.

    Raises:
        QueryError: see there.
    """
    interrupted = threading.Event()

    def interrupt() -> None:
        interrupted.set()
        connection.interrupt()

    timer = threading.Timer(timeout_s, interrupt) if timeout_s is not None else None
    try:
        _check(connection, sql)
        connection.execute("begin transaction read only")
        if timer is not None:
            timer.daemon = True
            timer.start()
        relation = connection.sql(sql, params=list(parameters))
        if relation is None:  # a statement without an answer
            raise QueryError("only statements that read are answered here")
        yield relation.to_arrow_reader(BATCH_ROWS)
    except (duckdb.Error, OSError, RuntimeError) as error:
        if interrupted.is_set():
            raise QueryError(f"the question took longer than {timeout_s:g} s and was stopped") from None
        raise QueryError(_first_lines(error)) from None
    finally:
        if timer is not None:
            timer.cancel()


def _check(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"one statement at a time, please: here are {len(statements)}")
    kind = statements[0].type.name
    if kind not in _READS:
        raise QueryError(f"only statements that read are answered here, no {kind}")


def _first_lines(error: Exception) -> str:
    """DuckDB's message without the picture of the statement."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("LINE ", " "))]
    return " ".join(told[:2]) or type(error).__name__
