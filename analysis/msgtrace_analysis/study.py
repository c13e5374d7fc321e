"""One consistent copy of a trace to ask many questions of: everything but bodies, in a database of our own.

A trace may still be growing while it is read. Passes ask this copy, so that their counts agree with each other, and
their SQL can join what they have worked out with what was recorded. Bodies stay where they are and are read a page at a
time. The copy spills to a private temporary folder when it outgrows memory, and goes away with the study.
"""

from __future__ import annotations

import functools
import shutil
import tempfile
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from msgtrace_collectors.trace import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    import pyarrow as pa

    from msgtrace_collectors.trace import Trace

PAGE_ROWS: Final = 500_000
BODY_PAGE_ROWS: Final = 100_000
STREAM_ROWS: Final = 20_000
BODY_PAGE_BYTES: Final = 64_000_000
MEMORY: Final = "1GB"
"""Of the copy; more is spilled."""
# One row per page of operations: its last id.
PAGES: Final = """
    select operation_id
    from (
        select operation_id, row_number() over (order by operation_id) as place, count(*) over () as many
        from operations
    )
    where place % $1 = 0 or place = many
    order by operation_id
"""

# One row per operation of a page, without its body.
OPERATIONS: Final = """
    select
        o.operation_id, o.kind, o.system, o.client, coalesce(o.service, '') as service, o.process_id, o.host,
        epoch_ns(o.observed_at) as observed_ns, o.monotonic_ns, o.duration_ns,
        o.server, o.virtual_host, o.connection_id, o.channel, o.channel_kind, o.routing_key,
        o.partition_id, o.log_offset, o.consumer_group, o.consumer_tag, o.group_member, o.group_generation, o.batch_id,
        case when o.message_key is not null then hash(o.message_key) end as key_hash,
        o.message_id, o.correlation_id, o.reply_to, o.trace_id, o.identity, o.delivery_mode, o.expiration,
        cast(o.headers as varchar) as headers, o.body_size, o.body_digest, o.encoding, o.truncated, o.redacted,
        o.event_type, o.redelivered, o.attempt, o.outcome, o.error_type, o.error_message,
        o.code_site, o.code_function, o.handler_site, h.name as handler_name,
        cast(o.settings as varchar) as settings,
        o.body_json is not null as readable,
        starts_with(ltrim(cast(o.body_json as varchar)), '{') as is_object
    from operations as o
    left join handlers as h using (handler_id)
    where o.operation_id > $1 and o.operation_id <= $2
    order by o.operation_id
"""

WHOLE: Final = {
    "links": "select send_id, receive_id, method, certainty from links",
    "causes": "select cause_id, effect_id, method, certainty from causes",
    "settlements": "select settle_id, receive_id from settlements",
    "processes": """
        select
            process_id, coalesce(service, '') as service, host, python, ended, facts ->> '$.folder' as folder,
            cast(facts as varchar) as facts
        from processes
    """,
    "connections": "select connection_id, facts from connections",
    # When things were inspected together, their time is the same.
    "inspected": """
        select
            operation_id, system, server, virtual_host, channel_kind, channel, routing_key, consumer_group, consumer_tag,
            cast(settings as varchar) as settings, epoch_ns(observed_at) as observed_ns
        from topology
        where kind = 'inspected'
    """,
    "losses": "select coalesce(service, '') as service, reason, detail, lost from losses",
}

# One row per operation, with sites relative to the folder that the process was started in.
PLACED: Final = """
    create table operations as
    select
        o.* exclude (code_site, handler_site),
        case when starts_with(o.code_site, p.folder || '/') then substr(o.code_site, length(p.folder) + 2)
            else o.code_site end as code_site,
        case when starts_with(o.handler_site, p.folder || '/') then substr(o.handler_site, length(p.folder) + 2)
            else o.handler_site end as handler_site
    from copied as o
    left join processes as p using (process_id)
"""

# One row per page of bodies: its last id. A page ends where either limit is reached.
BODY_PAGES: Final = """
    with sized as (
        select
            operation_id,
            (sum(least(coalesce(body_size, 1000), 1000000)) over (order by operation_id)) // $1
                + row_number() over (order by operation_id) // $2 as page
        from operations
        where readable and kind in ('send', 'receive')
    )
    select max(operation_id) from sized group by page order by 1
"""

# One row per message of a page with a JSON object: the text at some places in it.
TEXTS: Final = """
    select operation_id, {texts}
    from operations
    where operation_id > $1 and operation_id <= $2 and body_json is not null
        and kind in ('send', 'receive', 'process') and coalesce(encoding, '') <> 'object'
"""

# One row per message of a list of operations that has a key and a body.
KEYS: Final = """
    select operation_id, message_key, cast(body_json as varchar)
    from operations
    where operation_id in (select unnest($1)) and message_key is not null and body_json is not null
    order by operation_id
"""

# One row per body of a list of operations.
SOME_BODIES: Final = """
    select operation_id, cast(body_json as varchar)
    from operations
    where operation_id in (select unnest($1)) and body_json is not null
    order by operation_id
"""

BODIES: Final = """
    select operation_id, cast(body_json as varchar) as body, encoding
    from operations
    where operation_id > $1 and operation_id <= $2 and body_json is not null and kind in ('send', 'receive')
    order by operation_id
"""


class Study:
    """The copy of a trace. Use it as a context manager.

    Args:
        trace: an open trace; needed for as long as bodies are read.

    Raises:
        TraceError: the trace can't be read.

    Attributes:
        note: why links may be out of date; '' when they are not.
        recording: the trace was still growing when it was copied.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.recording = trace.recording
        self.note = _brought_up_to_date(trace)
        self._folder = tempfile.mkdtemp(prefix="msgtrace-study-")
        self._database = duckdb.connect(
            config={
                "temp_directory": self._folder,
                "memory_limit": MEMORY,
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )
        # DuckDB draws one on standard output where it takes the program for a session at a prompt.
        self.run("set enable_progress_bar = false")
        try:
            self._copy()
        except BaseException:
            self.close()
            raise

    def _copy(self) -> None:
        for name, sql in WHOLE.items():
            self.keep(name, self._trace.query(sql))
        # The last page's end is fixed here: what is recorded from now on is not in the copy.
        self._pages = [row[0] for row in _tuples(self._trace.query(PAGES, [PAGE_ROWS]))]
        first = -1
        for last in self._pages or [first]:
            self.keep("copied", self._trace.query(OPERATIONS, [first, last]))
            first = last
        self.run(PLACED)
        self.run("drop table copied")

    def forget_before(self, begin_ns: int) -> None:
        """Leave out of the copy what was observed before a time, and what was known of it."""
        self.run("delete from operations where observed_ns < $1", [begin_ns])
        for table, ends in {
            "links": ("send_id", "receive_id"),
            "causes": ("cause_id", "effect_id"),
            "settlements": ("settle_id", "receive_id"),
        }.items():
            for end in ends:
                self.run(f"delete from {table} where {end} not in (select operation_id from operations)")

    def keep(self, name: str, rows: pa.Table) -> None:
        """Add rows to a table of the copy, which is made by the first of them."""
        self._database.register("given", rows)
        known = self.rows("select 1 from duckdb_tables() where table_name = $1 and not internal", [name])
        verb = f'insert into "{name}"' if known else f'create table "{name}" as'
        self.run(f"{verb} select * from given")
        self._database.unregister("given")

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement that answers nothing."""
        self._database.execute(sql, list(parameters))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Answer a question about the copy."""
        return self._database.execute(sql, list(parameters)).fetchall()

    def table(self, sql: str) -> pa.Table:
        """Answer a question about the copy in columns."""
        rows: pa.Table = self._database.sql(sql).to_arrow_table()
        return rows

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Answer a question whose answer may be large. One at a time."""
        answer = self._database.execute(sql)
        while rows := answer.fetchmany(STREAM_ROWS):
            yield from rows

    def keep_texts(self, name: str, pointers: Sequence[str]) -> None:
        """Add a table of what stands at some places in bodies: `operation_id`, `text_0`, `text_1`, ...

        Args:
            name: the table's.
            pointers: the places (RFC 6901).

        Raises:
            TraceError: the trace went away.
        """
        texts = ", ".join(
            f"json_extract_string(body_json, ${place + 3}) as text_{place}" for place in range(len(pointers))
        )
        first = -1
        for last in self._pages or [first]:
            self.keep(name, self._trace.query(TEXTS.format(texts=texts), [first, last, *pointers]))
            first = last

    def some_bodies(self, operations: Sequence[int]) -> list[tuple[int, str]]:
        """The bodies of some operations that could be decoded, as (operation, JSON text).

        Raises:
            TraceError: the trace went away.
        """
        return _tuples(self._trace.query(SOME_BODIES, [list(operations)]))

    def bodies(self) -> Iterator[list[tuple[int, str, str]]]:
        """Every body that could be decoded, as (operation, JSON text, encoding), in pages of bounded size.

        Raises:
            TraceError: the trace went away.
        """
        first = -1
        for (last,) in self.rows(BODY_PAGES, [BODY_PAGE_BYTES, BODY_PAGE_ROWS]):
            yield _tuples(self._trace.query(BODIES, [first, last]))
            first = last

    def keys_and_bodies(self, operations: Sequence[int]) -> list[tuple[int, str, str]]:
        """Key and body of some operations, of those that have both: (operation, key, JSON text).

        Raises:
            TraceError: the trace went away.
        """
        return _tuples(self._trace.query(KEYS, [list(operations)]))

    @functools.cached_property
    def extent(self) -> tuple[int, int] | None:
        """When the first and the last operation were observed; None where there is none."""
        ((first, last),) = self.rows("select min(observed_ns), max(observed_ns) from operations")
        return None if first is None else (first, last)

    def trace_file(self) -> tuple[str, str]:
        """The trace's id, and the version of msgtrace that made it."""
        ((identity, version),) = _tuples(
            self._trace.query("select cast(trace_id as varchar), msgtrace_version from trace_file")
        )
        return identity, version

    def close(self) -> None:
        """Forget the copy."""
        self._database.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _brought_up_to_date(trace: Trace) -> str:
    """Have links made for what was recorded since they were last; what kept that from happening."""
    try:
        trace.link()
    except TraceError as error:
        return str(error)
    return ""


def _tuples(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
