"""Stores parts of an inspection in an open trace file: by its collector while it records, by `inspect` afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import duckdb

from msgtrace_collectors.columns import INT, TEXT, table
from msgtrace_collectors.trace_file import BrokenTraceError, trace_error

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from msgtrace_collectors.inspection.found import Part

_COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("place", INT),
    ("inspection_id", TEXT),
    ("part", INT),
    ("inspected_ns", INT),
    ("system", TEXT),
    ("server", TEXT),
    ("virtual_host", TEXT),
    ("channel_kind", TEXT),
    ("channel", TEXT),
    ("routing_key", TEXT),
    ("consumer_group", TEXT),
    ("consumer_tag", TEXT),
    ("settings", TEXT),
)
# One row per row of the part. A part that was stored already is stored anew, not twice.
_FORGET: Final = "delete from msgtrace_store.inspected where inspection_id = cast($1 as uuid) and part = $2"
_STORE: Final = """
    insert into msgtrace_store.inspected by name
    select
        (select coalesce(max(operation_id), 0) from msgtrace_store.inspected) + place as operation_id,
        cast(inspection_id as uuid) as inspection_id, part, make_timestamp_ns(inspected_ns) as inspected_at,
        * exclude (place, inspection_id, part, inspected_ns)
    from inspected_part
"""


def store(connection: duckdb.DuckDBPyConnection, path: Path, part: Part) -> None:
    """Store one part, all of it or nothing.

    Args:
        connection: to the trace, in no transaction, used by nobody else.
        path: of the trace, for errors.
        part: what to store.

    Raises:
        TraceError: it could not be stored.
    """
    rows = [
        (
            place, part.inspection_id, part.number, part.inspected_ns, part.system, part.server, each.virtual_host,
            each.channel_kind, each.channel, each.routing_key, each.consumer_group, each.consumer_tag,
            json.dumps(each.settings),
        )
        for place, each in enumerate(part.rows, 1)
    ]  # fmt: skip
    if not rows:
        return
    try:
        connection.register("inspected_part", table(_COLUMNS, rows))
        connection.execute("begin")
        connection.execute(_FORGET, [part.inspection_id, part.number])
        connection.execute(_STORE)
        connection.execute("commit")
        connection.unregister("inspected_part")
    except duckdb.CatalogException:
        raise BrokenTraceError(
            f"{path}: a trace from before inspections were kept; give another file with --db"
        ) from None
    except duckdb.Error as error:
        raise trace_error(path, error) from error
