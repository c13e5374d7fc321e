"""Keeps a trace within a size and an age by deleting its oldest operations, which are counted as a loss."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb

from msgtrace_collectors.trace_file import trace_error

if TYPE_CHECKING:
    from msgtrace_collectors.store import Store

LOOK_EVERY_S: Final = 5.0
KEPT_SHARE: Final = 0.7
"""Of the permitted size is kept when the trace is too large: making it smaller means writing what is kept anew."""
MAX_ROUNDS: Final = 4

_USED: Final = "select used_blocks * block_size from pragma_database_size()"
_BOUNDARY: Final = """
    select epoch_ns(observed_at)
    from msgtrace_store.operations
    order by observed_at
    limit 1 offset (select cast(count(*) * $1 as bigint) from msgtrace_store.operations)
"""
_EXPIRE: Final = (
    """
    insert into msgtrace_store.recorded_losses
    select operation_id // 1000000000000, 'expired', $2, count(*), cast(now() at time zone 'UTC' as timestamp)
    from msgtrace_store.operations
    where observed_at < make_timestamp_ns($1)
    group by 1
    """,
    "delete from msgtrace_store.operations where observed_at < make_timestamp_ns($1)",
)
_ORPHANS: Final = (
    "delete from msgtrace_store.late_facts where operation_id not in (select operation_id from msgtrace_store.operations)",
    "delete from msgtrace_store.recorded_causes where effect_id not in (select operation_id from msgtrace_store.operations)",
    """
    delete from msgtrace_store.bodies
    where body_digest not in (select body_digest from msgtrace_store.operations where body_digest is not null)
    """,
    """
    delete from msgtrace_store.body_schemas
    where body_schema not in (select body_schema from msgtrace_store.bodies where body_schema is not null)
    """,
    "delete from links where send_id not in (select operation_id from msgtrace_store.operations)",
    "delete from causes where cause_id not in (select operation_id from msgtrace_store.operations)",
    "delete from settlements where receive_id not in (select operation_id from msgtrace_store.operations)",
    "delete from msgtrace_store.linked",
)
# Deleted rows go on taking their place in a block that others still use: what is kept moves to a table of its own.
_REWRITE: Final = """
    create table msgtrace_store.kept as from msgtrace_store.{table};
    drop table msgtrace_store.{table};
    alter table msgtrace_store.kept rename to {table};
"""
_LARGE: Final = ("operations", "bodies", "late_facts", "recorded_causes")


@dataclass(slots=True)
class Caps:
    """The limits of one trace.

    Attributes:
        max_bytes: of the file, as far as it is in use; None for no limit.
        max_age_s: of an operation; None for no limit.
    """

    max_bytes: int | None = None
    max_age_s: float | None = None
    _looked_at: float = 0.0

    def enforce(self, store: Store, *, now: bool = False) -> int:
        """Delete what is too old or too much, if it is time to look.

        Args:
            store: the open trace.
            now: look in any case.

        Returns:
            How many operations were deleted.

        Raises:
            TraceError: the database refused.
        """
        due = time.monotonic() - self._looked_at >= min(max(LOOK_EVERY_S, (self.max_age_s or 0) / 100), 600)
        if (self.max_bytes is None and self.max_age_s is None) or not (now or due):
            return 0
        self._looked_at = time.monotonic()
        deleted = 0
        try:
            if self.max_age_s is not None:
                before_ns = time.time_ns() - int(self.max_age_s * 1e9)
                deleted += _expire(store, before_ns, "older than the trace may be", rewrite=False)
            if self.max_bytes is not None:
                deleted += _shrink(store, self.max_bytes)
        except duckdb.Error as error:
            raise trace_error(store.path, error) from error
        return deleted


def _shrink(store: Store, max_bytes: int) -> int:
    """Delete the oldest operations until the rest fits."""
    deleted = 0
    for _ in range(MAX_ROUNDS):
        files = (store.path, store.path.with_name(store.path.name + ".wal"))
        if sum(file.stat().st_size for file in files if file.exists()) <= max_bytes:
            break
        # The log is written into the file first: what is only in the log is not yet in its size.
        store.checkpoint()
        used = int(store.execute(_USED)[0][0])
        if used <= max_bytes:
            break
        boundary = store.execute(_BOUNDARY, [1 - KEPT_SHARE * max_bytes / used])
        if not boundary:
            break
        deleted += _expire(store, boundary[0][0], "the oldest of a trace that was too large", rewrite=True)
    return deleted


def _expire(store: Store, before_ns: int, why: str, *, rewrite: bool) -> int:
    store.execute("begin")
    try:
        store.execute(_EXPIRE[0], [before_ns, why])
        deleted = int(store.execute(_EXPIRE[1], [before_ns])[0][0])
        if deleted:
            for statement in _ORPHANS:
                store.execute(statement)
            for table in _LARGE if rewrite else ():
                store.execute(_REWRITE.format(table=table))
        store.execute("commit")
    except duckdb.Error:
        store.execute("rollback")
        raise
    return deleted
