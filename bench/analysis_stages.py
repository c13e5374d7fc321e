"""The traces that bench/analysis.py makes, and what it measures on them.

Apart from it because each process that helps to read bodies imports the program that it was started from, and `msgtrace`
itself imports next to nothing.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import duckdb

from bench.flows import HEADS
from msgtrace_analysis.passes import prepare, span_ns
from msgtrace_analysis.passes.contracts import contracts
from msgtrace_analysis.passes.conversations import conversations
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.flows import flows
from msgtrace_analysis.passes.graph import build_graph
from msgtrace_analysis.passes.practices import recording
from msgtrace_analysis.passes.rates import frequencies
from msgtrace_analysis.passes.reliability import reliability
from msgtrace_analysis.passes.stack import stack
from msgtrace_analysis.passes.topology import topology
from msgtrace_analysis.passes.traffic import traffic
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace
from msgtrace_collectors.trace_file import open_for_writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TYPES: Final = 50
GENSON_BODIES: Final = 100_000
"""It is asked for no more: it takes as long for each."""

# One row per send: its number, and a body whose fields depend on its version.
BODIES: Final = """
    create temp table made as
    select
        n, n % $2 as kind, 1 + (n // $2) % 3 as version,
        '{"schema_version":' || version || ',"event_id":"' || gen_random_uuid() || '","occurred_at":"2026-03-'
            || lpad((1 + n % 28)::varchar, 2, '0') || 'T10:' || lpad((n % 60)::varchar, 2, '0')
            || ':00Z","customer":{"email":"user' || hash(n) % 5000 || '@example.org","country":"'
            || ['DE', 'FR', 'US', 'JP'][1 + n % 4] || '"},"lines":[{"sku":"S-' || n % 97 || '","quantity":' || n % 7
            || ',"price":' || (hash(n) % 10000) / 100 || '}],"state":"' || ['new', 'paid', 'sent'][1 + (hash(n) % 3)::bigint]
            || '","total":' || hash(n) % 100000 || case when version > 1 then ',"note":"as was agreed"' else '' end
            || case when version > 2 then ',"extra_' || kind || '":true' else '' end || '}' as body
    from range($1) as r(n)
"""
ROWS: Final = """
    insert into msgtrace_store.bodies (body_digest, document, encoding, redacted)
    select md5(n::varchar)::uuid, body, 'json', 0 from made;
    insert into msgtrace_store.operations (
        operation_id, point_id, site_id, handler_id, monotonic_ns, observed_at, duration_ns, channel, channel_kind, event_type,
        body_size, body_digest, message_id, outcome
    )
    select
        p * 1000000000000 + n, p * 1000000 + p + 1, p * 1000000 + kind % 8 + 1, case when p = 2 then 2000000 + kind % 8 + 1 end,
        n * 50000, make_timestamp_ns(1700000000000000000 + n * 50000 + p * 1000), 5000, 'channel-' || kind % 10, 'topic',
        'type.' || kind, length(body), md5(n::varchar)::uuid, 'm' || n, 'ok'
    from made, range(1, 3) as r(p)
    order by p, n;
    insert into links select 1000000000000 + n, 2000000000000 + n, 'x', 'exact' from made;
"""

# One row per send of a made trace: its event type and body.
SENT: Final = """
    select o.event_type, b.document::varchar
    from msgtrace_store.operations as o inner join msgtrace_store.bodies as b using (body_digest)
    where o.operation_id < 2000000000000
"""


def make(path: Path, operations: int, types: int = TYPES) -> None:
    """Write a trace."""
    connection = open_for_writing(path)
    connection.execute(HEADS)
    connection.execute(BODIES, [operations // 2, types])
    connection.execute(ROWS)
    connection.close()


def stages(path: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """What `msgtrace report` asks of a trace, in its order; each is to be called before the next is taken."""
    with open_trace(path) as trace:
        kept: dict[str, Any] = {}
        yield "copy", lambda: kept.update(study=Study(trace))
        study: Study = kept["study"]
        with study:
            yield "names, addresses", lambda: prepare(study)
            yield "events", lambda: catalogue(study, span_ns(recording(study)))
            yield "schemas", lambda: contracts(study)
            yield "graph", lambda: kept.update(graph=build_graph(study))
            yield "flows", lambda: flows(study, kept["graph"])
            yield "conversations", lambda: conversations(study, kept["graph"])
            yield "rates", lambda: frequencies(study)
            yield "the rest", lambda: [each(study) for each in (stack, topology, traffic, reliability)]


def by_genson(path: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """The same bodies read by genson, in one process."""
    rows = duckdb.connect(str(path), read_only=True).execute(f"{SENT} limit {GENSON_BODIES}").fetchall()
    builder = import_module("genson").SchemaBuilder
    builders: dict[str, Any] = {}

    def build() -> None:
        for name, body in rows:
            builders.setdefault(name, builder()).add_object(json.loads(body))

    yield f"genson, {len(rows):,} bodies", build


def by_duckdb(path: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """The same bodies read by DuckDB, in all its threads."""
    connection = duckdb.connect(str(path), read_only=True)
    sql = f"select event_type, json_group_structure(document) from ({SENT}) as t(event_type, document) group by all"
    yield "duckdb, json_group_structure", lambda: connection.execute(sql).fetchall()


PROGRAMS: Final = {"report": stages, "genson": by_genson, "duckdb": by_duckdb}
