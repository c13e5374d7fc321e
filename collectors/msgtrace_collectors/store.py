"""Writes batches into the trace file, each in one transaction with the positions that it was read up to."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import duckdb

from msgtrace_collectors.columns import POSITION_COLUMNS, table
from msgtrace_collectors.process import ProcessState
from msgtrace_collectors.trace_file import BusyTraceError, open_for_writing, trace_error

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

    from msgtrace_collectors.batch import Tables

# The columns are those of the batch: what no operation of it has is not inserted.
_INSERT: Final = "insert into msgtrace_store.{name} by name select * from batch_{name}"
# The cast checks, in the database's own terms, that a document is one.
_INSERT_BODIES: Final = """
    insert into msgtrace_store.bodies by name
    select
        * exclude (checked) replace (
            case when encoding = 'json' and checked is null and content is null then encode(document) else content end as content,
            checked as document,
            case when encoding = 'json' and checked is null then 'text' else encoding end as encoding
        )
    from (select *, try_cast(document as json) as checked from batch_bodies) as fresh
"""
_NOT_STORED: Final = (
    " where not exists (select 1 from msgtrace_store.bodies as b where b.body_digest = fresh.body_digest)"
)
_INSERT_SCHEMAS: Final = """
    insert into msgtrace_store.body_schemas by name
    select * from batch_schemas as fresh
    where not exists (select 1 from msgtrace_store.body_schemas as s where s.body_schema = fresh.body_schema)
"""
_INSERT_LOSSES: Final = """
    insert into msgtrace_store.recorded_losses by name
    select *, cast(now() at time zone 'UTC' as timestamp) as seen_at from batch_losses
"""
_REPLACE_POSITIONS: Final = """
    delete from msgtrace_store.positions where process_number in (select process_number from batch_positions);
    insert into msgtrace_store.positions by name select * from batch_positions;
"""
_POSITIONS: Final = """
    select
        process_number, process_id, generation, frame_offset, records, clock_wall_ns, clock_monotonic_ns, first_sequence,
        parent_number, dropped, pid, ended, facts
    from msgtrace_store.positions
    order by process_number
"""

# Trace files of before don't have it.
_SPANS: Final = """
    create table if not exists msgtrace_store.spans (
        process_number integer not null, span_id varchar not null, parent_span_id varchar, operation_id bigint
    )
"""

# One row per process in which a test has begun that has not ended: the last one.
_RUNNING_TESTS: Final = """
    select process_number, arg_max(test_id, monotonic_ns) filter (outcome is null)
    from msgtrace_store.recorded_tests
    group by process_number
    having max(monotonic_ns) filter (outcome is null) > coalesce(max(monotonic_ns) filter (outcome is not null), -1)
"""

BUSY_FOR_S: Final = 5.0
"""How long a file may be held by somebody who is just asking it something."""


class Store:
    """The open trace file of a collector.

    Args:
        path: the file.

    Raises:
        TraceError: it can't be opened or made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = _opened(path)
        self._connection.execute(_SPANS)
        self._lock = threading.Lock()
        """Against a cursor being made while the connection is replaced."""

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the same open file."""
        with self._lock:
            return self._connection.cursor()

    def load(self) -> list[ProcessState]:
        """The processes and positions as they were last stored."""
        rows = self._connection.execute(_POSITIONS).fetchall()
        states = {}
        for (
            number,
            process_id,
            generation,
            offset,
            records,
            wall,
            monotonic,
            first,
            _,
            dropped,
            pid,
            ended,
            facts,
        ) in rows:
            states[number] = ProcessState(
                number, process_id, generation, offset, records, wall, monotonic, first, None, dropped, pid, ended,
                facts.encode() if facts is not None else None,
            )  # fmt: skip
        for row in rows:
            states[row[0]].parent = states.get(row[8])
        for number, test in self._connection.execute(_RUNNING_TESTS).fetchall():
            if number in states:
                states[number].test = test
        return list(states.values())

    def trace_id(self) -> str:
        """What identifies the trace, wherever its file is."""
        return str(self._connection.execute("select trace_id from trace_file").fetchall()[0][0])

    def has_bodies(self) -> bool:
        """Whether any body is stored."""
        return bool(self._connection.execute("select exists (from msgtrace_store.bodies)").fetchall()[0][0])

    def texts(self) -> list[tuple[int, str]]:
        """Ids and values of interned texts."""
        return self._connection.execute("select text_id, value from msgtrace_store.texts").fetchall()

    def commit(self, tables: Tables, states: Iterable[ProcessState], *, bodies_may_repeat: bool) -> None:
        """Store a batch and the positions behind it, all or nothing.

        Args:
            tables: the batch.
            states: of the processes that it was read from.
            bodies_may_repeat: some of its bodies may be stored already.

        Raises:
            TraceError: nothing was stored; it may be tried again, after `reopen`.
        """
        parts = self._parts(tables, [s.row() for s in states], bodies_may_repeat=bodies_may_repeat)
        connection = self._connection
        try:
            for name, rows, _ in parts:
                connection.register(name, rows)
            connection.execute("begin")
            for _, _, statement in parts:
                connection.execute(statement)
            connection.execute("commit")
            for name, _, _ in parts:
                connection.unregister(name)
        except duckdb.Error as error:
            self._roll_back()
            raise trace_error(self.path, error) from error

    @staticmethod
    def _parts(
        tables: Tables, positions: list[tuple[Any, ...]], *, bodies_may_repeat: bool
    ) -> list[tuple[str, pa.Table, str]]:
        """What is registered under which name, and what stores it."""
        parts: list[tuple[str, pa.Table, str]] = []
        if tables.bodies is not None:
            parts.append(("batch_bodies", tables.bodies, _INSERT_BODIES + (_NOT_STORED if bodies_may_repeat else "")))
        if tables.schemas is not None:
            parts.append(("batch_schemas", tables.schemas, _INSERT_SCHEMAS))
        plain = {
            "operations": tables.operations,
            "late_facts": tables.late_facts,
            "recorded_causes": tables.causes,
            "recorded_tests": tables.tests,
            **tables.definitions,
        }
        for name, rows in plain.items():
            if rows is not None:
                parts.append((f"batch_{name}", rows, _INSERT.format(name=name)))
        if tables.losses is not None:
            parts.append(("batch_losses", tables.losses, _INSERT_LOSSES))
        if positions:
            parts.append(("batch_positions", table(POSITION_COLUMNS, positions), _REPLACE_POSITIONS))
        return parts

    def _roll_back(self) -> None:
        # There may be none, or the database has declared itself unusable: `reopen` follows.
        with contextlib.suppress(duckdb.Error):
            self._connection.execute("rollback")

    def reopen(self) -> None:
        """Open the file anew, after an error that DuckDB does not go on from.

        Raises:
            TraceError: it can't be opened now.
        """
        with self._lock:
            self._connection.close()
            self._connection = open_for_writing(self.path)

    def execute(self, statement: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement of ours."""
        return self._connection.execute(statement, parameters or []).fetchall()

    def checkpoint(self) -> None:
        """Write the log into the file, so that the file alone is the whole trace.

        Raises:
            TraceError: there was no room; the log holds everything.
        """
        try:
            self._connection.execute("checkpoint")
        except duckdb.Error as error:
            raise trace_error(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + BUSY_FOR_S
    while True:
        try:
            return open_for_writing(path)
        except BusyTraceError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.05)
