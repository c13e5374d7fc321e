"""Reads the bodies of a trace once each, in the order in which they are stored, and lays them beside their operations.

The copy of a trace says of every operation its body's digest and the block that the body is in; a page is some blocks in a row.
So a page costs what is in it, and the whole is read in linear time, however many operations and bodies there are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import duckdb
    import pyarrow as pa

    from msgtrace_collectors.trace import Trace

PAGE_BYTES: Final = 32_000_000
PAGE_ROWS: Final = 50_000
GATHERED_BYTES: Final = 64_000_000
"""Of pages whose rows are put in another order before they are handed on."""

BATCH_ROWS: Final = 20_000
"""Bodies that are handed on together: what reads them holds some ten times their bytes."""
BLOCK_ROWS: Final = 1_000

STORED: Final = "rowid // {rows}"
"""The block of a body, where nobody writes to the trace."""
STORED_PAGE: Final = "rowid >= {first} * {rows} and rowid < ({last} + 1) * {rows}"
RECORDED: Final = "cast('0x' || left(cast(body_digest as varchar), 3) as integer)"
"""Where a collector may delete bodies meanwhile, which moves the others: by the digest, which is as good as random."""
RECORDED_PAGE: Final = (
    "body_digest >= cast('{first:03x}00000-0000-0000-0000-000000000000' as uuid)"
    " and body_digest <= cast('{last:03x}fffff-ffff-ffff-ffff-ffffffffffff' as uuid)"
)

# One row per block of bodies: how many bytes and bodies.
BLOCKS: Final = """
    select {block} as block, cast(sum(strlen(cast(document as varchar))) as bigint), count(*)
    from msgtrace_store.bodies
    where document is not null
    group by block
    order by block
"""

# One row per body of a page.
PAGE: Final = """
    select body_digest, {columns}
    from msgtrace_store.bodies
    where document is not null and {page}
"""

# One row per operation of a page, with its body.
JOINED: Final = """
    select w.* exclude (body_digest, body_block), g.* exclude (body_digest)
    from wanted_bodies as w
    inner join given_bodies as g on cast(g.body_digest as uuid) = w.body_digest
    where w.body_block between $1 and $2
    order by {order}
"""


FEW: Final = 20_000
"""Bodies that are asked for by their digests; of more, all of their pages are read."""
WANTED_BLOCKS: Final = "select distinct body_block from wanted_bodies where body_block is not null order by body_block"
WANTED_DIGESTS: Final = """
    select distinct cast(body_digest as varchar) from wanted_bodies where body_digest is not null limit $1
"""


class Bodies:
    """The bodies of a trace.

    Args:
        trace: the trace.
        database: of the study, with its table `operations`.
        stored: nobody writes to the trace.
    """

    def __init__(self, trace: Trace, database: duckdb.DuckDBPyConnection, *, stored: bool) -> None:
        self._trace, self._database = trace, database
        block, self._page = (STORED, STORED_PAGE) if stored else (RECORDED, RECORDED_PAGE)
        self._block = block.format(rows=BLOCK_ROWS)
        self._known: list[tuple[int, int, int]] | None = None

    @property
    def block(self) -> str:
        """SQL over the store's bodies: the block of each."""
        return self._block

    def pages(self, columns: str, parameters: list[str]) -> Iterator[tuple[int, int, pa.Table]]:
        """Every body that is JSON: the first and last block of each page, and `body_digest` with some columns.

        Args:
            columns: SQL over the store's bodies.
            parameters: of it.

        Raises:
            TraceError: the trace went away.
        """
        for first, last, _ in self._pages():
            yield first, last, self._page_of(first, last, columns, parameters)

    def _page_of(
        self, first: int, last: int, columns: str, parameters: list[Any], digests: list[str] | None = None
    ) -> pa.Table:
        page = self._page.format(first=first, last=last, rows=BLOCK_ROWS)
        if digests is not None:
            page += f" and body_digest in (select cast(unnest(${len(parameters) + 1}) as uuid))"
            parameters = [*parameters, digests]
        return self._trace.query(PAGE.format(columns=columns, page=page), parameters)

    def beside(self, wanted: str, by: str = "") -> Iterator[pa.RecordBatch]:
        """Rows of a question about the study with the bodies of their operations, a page at a time.

        Args:
            wanted: SQL whose rows have `operation_id`, `body_digest` and `body_block`.
            by: a column of it by which the rows of many pages are put together, so that a page has few values of it.

        Yields:
            the other columns, then `body` (JSON text), by operation within a page, or by the column and then by operation.

        Raises:
            TraceError: the trace went away.
        """
        database = self._database
        database.execute(f"create or replace temp table wanted_bodies as select * from ({wanted}) order by body_block")
        joined = JOINED.format(order=f"w.{by}, w.operation_id" if by else "w.operation_id")
        try:
            blocks = [each for (each,) in database.execute(WANTED_BLOCKS).fetchall()]
            few = database.execute(WANTED_DIGESTS, [FEW + 1]).fetchall()
            digests = [each for (each,) in few] if len(few) <= FEW else None
            for first, last in gathered(self._pages(), GATHERED_BYTES if by else 0):
                if bisect_left(blocks, first) == bisect_right(blocks, last):
                    continue  # nothing of it is wanted
                page = self._page_of(first, last, "cast(document as varchar) as body", [], digests)
                database.register("given_bodies", page)
                rows = database.sql(joined, params=[first, last]).to_arrow_table()
                database.unregister("given_bodies")
                del page
                whole = rows.combine_chunks()
                del rows
                yield from whole.to_batches(BATCH_ROWS)
        finally:
            database.execute("drop table if exists wanted_bodies")

    def _pages(self) -> list[tuple[int, int, int]]:
        if self._known is None:
            columns = self._trace.query(BLOCKS.format(block=self._block)).columns
            blocks = zip(*(column.to_pylist() for column in columns), strict=True)
            self._known = list(paged(blocks))
        return self._known


def paged(blocks: Iterator[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """The first and the last block of each page, and its bytes.

    Args:
        blocks: number, bytes and bodies of each, in order.

    >>> list(paged(iter([(0, PAGE_BYTES, 1), (1, 1, 1), (2, 1, PAGE_ROWS), (5, 1, 1)])))
    [(0, 0, 32000000), (1, 2, 2), (5, 5, 1)]
    """
    first = last = None
    size = rows = 0
    for block, more_bytes, more_rows in blocks:
        if first is None:
            first = block
        last = block
        size, rows = size + more_bytes, rows + more_rows
        if size >= PAGE_BYTES or rows >= PAGE_ROWS:
            yield first, last, size
            first, size, rows = None, 0, 0
    if first is not None and last is not None:
        yield first, last, size


def gathered(pages: Iterable[tuple[int, int, int]], most: int) -> Iterator[tuple[int, int]]:
    """The first and the last block of as many pages in a row as have no more bytes together; of one page at least.

    >>> list(gathered([(0, 0, 5), (1, 2, 4), (5, 5, 1)], 9))
    [(0, 2), (5, 5)]
    """
    first = last = None
    size = 0
    for begin, end, more in pages:
        if first is not None and last is not None and size + more > most:
            yield first, last
            first, size = None, 0
        if first is None:
            first = begin
        last, size = end, size + more
    if first is not None and last is not None:
        yield first, last
