"""One consistent copy of a trace to ask many questions of: everything but bodies, in a database of our own.

A trace may still be growing while it is read. Passes ask this copy, so that their counts agree with each other, and
their SQL can join what they have worked out with what was recorded. It is made in one statement (`copying.sql`) where
nobody records, else in pages. Bodies stay where they are and are read a page at a time (`bodies`). The copy is in memory, and
a file of a private temporary folder where it is large; it goes away with the study.

A pass stays cheap, for ten million operations as for one, when

* it names the columns that it needs, and groups by what is few before it joins what is long;
* it makes a table of what several of its questions share, and drops it when they are answered;
* each statement looks up one large table at a time, and groups of which there are as many as messages hold numbers alone
  (count, min, max, sum), never `list` or `arg_min`: what DuckDB holds for each of those it can't spill;
* what it takes out of SQL is as much as there are event types, places or flows, not as there are messages;
* bodies are asked for once, with `bodies_of`, for the operations that it needs; the sends, since a delivery repeats them.
"""

from __future__ import annotations

import functools
import importlib.resources
import shutil
import tempfile
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from msgtrace_analysis.bodies import Bodies
from msgtrace_analysis.findings.system import HostClock
from msgtrace_analysis.repeated_text import REPEATED, TEXT, text_type
from msgtrace_collectors.trace import TraceError
from msgtrace_collectors.trace_file import QueryError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    import pyarrow as pa

    from msgtrace_collectors.trace import Trace

PAGE_ROWS: Final = 500_000
STREAM_ROWS: Final = 20_000
MEMORY: Final = "1GB"
"""Of the copy; more is spilled."""
MANY: Final = 2_000_000
"""Operations from which on the copy is a file, whose columns are compressed: it takes a fifteenth of the room."""

# One row per page of operations of a trace that is being recorded: its last id.
PAGES: Final = """
    select operation_id
    from (
        select operation_id, row_number() over (order by operation_id) as place, count(*) over () as many
        from msgtrace_store.operations
    )
    where place % $1 = 0 or place = many
    order by operation_id
"""

COUNT: Final = "select count(*) from msgtrace_store.operations"

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
    "handlers": "select * from handlers",
    "losses": "select coalesce(service, '') as service, reason, detail, lost from losses",
}

CLOCKS: Final = """
    select host, reference, shift_ns, least_ns, most_ns, messages, contradicted from msgtrace_store.clocks order by host
"""
# One row: the smallest part of the conversations that a process was told to record.
SAMPLE: Final = "select min(cast(facts ->> '$.sample' as double)) from processes"
ALIGN: Final = "update operations set observed_ns = observed_ns - $1 where host = $2"

# One row per message of a list of operations that has a key and a body.
KEYS: Final = """
    select operation_id, message_key, cast(body_json as varchar)
    from operations
    where operation_id in (select unnest($1)) and message_key is not null and body_json is not null
    order by operation_id
"""

# One row per message of a list of operations that has a key.
SOME_KEYS: Final = """
    select operation_id, message_key
    from operations
    where operation_id in (select unnest($1)) and message_key is not null
    order by operation_id
"""

# One row per body of a list of operations, as it was kept: its first bytes.
SOME_BYTES: Final = """
    select operation_id, body[:4096]
    from operations
    where operation_id in (select unnest($1)) and body is not null
    order by operation_id
"""

# One row per body of a list of operations.
DIGESTS: Final = """
    select operation_id, cast(body_digest as varchar)
    from operations
    where operation_id in (select unnest($1)) and readable
    order by operation_id
"""
SOME_BODIES: Final = """
    select cast(body_digest as varchar), cast(document as varchar)
    from msgtrace_store.bodies
    where body_digest in (select cast(unnest($1) as uuid)) and document is not null
"""

# One row per message with a JSON body of `$1`: the text at some places in it.
TEXTS: Final = """
    create table "{name}" as
    select o.operation_id, t.* exclude (body_digest)
    from operations as o
    inner join texts_of_bodies as t using (body_digest)
    where o.kind in ('send', 'receive', 'process') and coalesce(o.encoding, '') <> 'object'
"""

# One row per message with a JSON body.
MESSAGES: Final = """
    select operation_id, encoding, body_digest, body_block from operations where readable and kind in ('send', 'receive')
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
        sample: which part of the conversations was recorded; None for all.
        clocks: of hosts, as messages tell them; times in the copy are corrected by them.
        word: the type of the copy's text that repeats.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.word = TEXT
        self.recording = trace.recording
        self.note = _brought_up_to_date(trace)
        self.sample = _sample(trace)
        self.clocks: tuple[HostClock, ...] = _clocks(trace)
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
            with trace.attached(self._database, "trace") as attached:
                self._bodies = Bodies(trace, self._database, stored=attached)
                self._copy(attached=attached)
            for clock in self.clocks:
                if clock.shift_ns:
                    self.run(ALIGN, [clock.shift_ns, clock.host])
        except BaseException:
            self.close()
            raise

    def _copy(self, *, attached: bool) -> None:
        ((many,),) = (
            self._database.execute(f"use trace; {COUNT}").fetchall() if attached else _tuples(self._trace.query(COUNT))
        )
        place = f"{self._folder}/copy.duckdb" if many >= MANY else ":memory:"
        self.run(f"attach {quoted(place)} as study")
        # What a trace's views say is whoever wrote it's.
        self.run("set enable_external_access = false")
        self.run("use study")
        if many >= MANY:
            self.run("set preserve_insertion_order = false")  # keeping it takes memory
        files = importlib.resources.files("msgtrace_analysis")
        known = files.joinpath("known.sql").read_text()
        copying = known + files.joinpath("copying.sql").read_text()
        if attached:
            self.run("use trace")
            texts = known.format(block=self._bodies.block, word=TEXT) + REPEATED
            word = self.word = text_type(self._database, "study.word", texts)
            for name, sql in WHOLE.items():
                self.run(f"create table study.{name} as {sql}")
            self.run(
                f"create table study.operations as {copying.format(block=self._bodies.block, word=word, wanted='true')}"
            )
            self.run("use study")
            return
        for name, sql in WHOLE.items():
            self.keep(name, self._trace.query(sql))
        # The last page's end is fixed here: what is recorded from now on is not in the copy.
        pages = [row[0] for row in _tuples(self._trace.query(PAGES, [PAGE_ROWS]))]
        page = copying.format(
            block=self._bodies.block, word=TEXT, wanted="o.operation_id > $1 and o.operation_id <= $2"
        )
        for first, last in pairwise((-1, *pages) if pages else (-1, -1)):
            self.keep("operations", self._trace.query(page, [first, last]))
        self.run("alter table operations alter body_digest type uuid")  # Arrow has text for it

    def forget_before(self, begin_ns: int) -> None:
        """Leave out of the copy what was observed before a time, and what was known of it."""
        self.run("delete from operations where observed_ns < $1", [begin_ns])
        self.__dict__.pop("extent", None)
        for table, ends in {
            "links": ("send_id", "receive_id"),
            "causes": ("cause_id", "effect_id"),
            "settlements": ("settle_id", "receive_id"),
        }.items():
            for end in ends:
                self.run(f"delete from {table} where {end} not in (select operation_id from operations)")

    def text_type(self, name: str, texts: str) -> str:
        """Make a type of the texts that SQL answers, one a row; its name, or that of plain text where there are too many."""
        return text_type(self._database, name, texts)

    def keep(self, name: str, rows: pa.Table) -> None:
        """Add rows to a table of the copy, which is made by the first of them."""
        known = self.rows("select 1 from duckdb_tables() where table_name = $1 and not internal", [name])
        if known:
            self._insert(name, rows)
            return
        self._database.register("given", rows)
        self.run(f'create table "{name}" as select * from given')
        self._database.unregister("given")

    def _insert(self, name: str, rows: pa.Table) -> None:
        self._database.register("given", rows)
        self.run(f'insert into "{name}" select * from given')
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
            f"json_extract_string(document, ${place + 1}) as text_{place}" for place in range(len(pointers))
        )
        columns = ", ".join(f"text_{place} varchar" for place in range(len(pointers)))
        self.run(f"create temp table texts_of_bodies (body_digest uuid, {columns})")
        for _, _, page in self._bodies.pages(texts, list(pointers)):
            self._insert("texts_of_bodies", page)
        self.run(TEXTS.format(name=name))
        self.run("drop table texts_of_bodies")

    def some_bodies(self, operations: Sequence[int]) -> list[tuple[int, str]]:
        """The bodies of some operations that could be decoded, as (operation, JSON text).

        Raises:
            TraceError: the trace went away.
        """
        digests = self.rows(DIGESTS, [list(operations)])
        texts = dict(_tuples(self._trace.query(SOME_BODIES, [sorted({digest for _, digest in digests})])))
        return [(operation, texts[digest]) for operation, digest in digests if digest in texts]

    def some_bytes(self, operations: Sequence[int]) -> list[tuple[int, bytes]]:
        """The first bytes of the bodies of some operations.

        Raises:
            TraceError: the trace went away.
        """
        return _tuples(self._trace.query(SOME_BYTES, [list(operations)]))

    def some_keys(self, operations: Sequence[int]) -> list[tuple[int, str]]:
        """The message keys of some operations, of those that have one.

        Raises:
            TraceError: the trace went away.
        """
        return _tuples(self._trace.query(SOME_KEYS, [list(operations)]))

    def bodies(self) -> Iterator[list[tuple[Any, ...]]]:
        """Every body that could be decoded, as (operation, JSON text, encoding), in pages of bounded size.

        Raises:
            TraceError: the trace went away.
        """
        for page in self.bodies_of(MESSAGES):
            operations, encodings, texts = page.columns
            yield _rows(operations, texts, encodings)

    def bodies_of(self, wanted: str, by: str = "") -> Iterator[pa.RecordBatch]:
        """The rows of a question with the bodies of their operations, as far as they could be decoded.

        Args:
            wanted: SQL about the copy; its rows have `operation_id`, and `body_digest` and `body_block` as `operations` has them.
            by: a column of it that few values of are to be on a page; what comes together of it is summed up together.

        Yields:
            pages of bounded size: the other columns, then `body` (JSON text).

        Raises:
            TraceError: the trace went away.
        """
        return self._bodies.beside(wanted, by)

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


def _sample(trace: Trace) -> float | None:
    ((sample,),) = _tuples(trace.query(SAMPLE))
    return None if sample is None else float(sample)


def _clocks(trace: Trace) -> tuple[HostClock, ...]:
    """How the clocks of hosts stand; nothing of a trace that was never linked by a msgtrace that asks."""
    try:
        return tuple(HostClock(*row) for row in _tuples(trace.query(CLOCKS)))
    except QueryError:
        return ()


def _brought_up_to_date(trace: Trace) -> str:
    """Have links made for what was recorded since they were last; what kept that from happening."""
    try:
        trace.link()
    except TraceError as error:
        return str(error)
    return ""


def _tuples(table: pa.Table) -> list[tuple[Any, ...]]:
    return _rows(*table.columns)


def _rows(*columns: pa.Array[Any] | pa.ChunkedArray[Any]) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in columns), strict=True))
