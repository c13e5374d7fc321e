"""What finding flows costs: a made trace of N operations, and the time and memory of each part.

    python -m bench.flows [operations] [shape]

Shapes: `orders` (requests of ten operations each), `storm` (one chain of retries), `fanout` (sends with 10,000 receivers),
`batches` (every effect has 20 possible causes). The trace is made with SQL in a temporary folder; links and causes are given.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from msgtrace_analysis.passes import prepare
from msgtrace_analysis.passes.conversations import conversations
from msgtrace_analysis.passes.flows import flows
from msgtrace_analysis.passes.graph import build_graph
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace
from msgtrace_collectors.trace_file import open_for_writing

SERVICES = ("web", "payments", "mail", "stock")
HEADS = """
    insert into msgtrace_store.positions
    select
        n, 'process-' || n, 1, 0, 0, null, null, null, null, 0, n, true,
        json_object('service', ['web', 'payments', 'mail', 'stock'][n], 'host', 'host', 'pid', n, 'folder', '/app')
    from range(1, 5) as r(n);
    insert into msgtrace_store.points
    select p * 1000000 + k, 'aio_pika', '9', 'rabbitmq', ['trigger', 'send', 'receive', 'settle'][k], 'x'
    from range(1, 5) as r(p), range(1, 5) as s(k);
    insert into msgtrace_store.sites select p * 1000000 + k, '/app/a.py', k, 'publish_' || k from range(1, 5) as r(p), range(1, 9) as s(k);
    insert into msgtrace_store.handlers (handler_id, path, line, end_line, name, module, doc)
    select p * 1000000 + k, '/app/h.py', k, k, 'on_' || k, 'h', '' from range(1, 5) as r(p), range(1, 9) as s(k);
"""

# One row per operation of a made request: position in it, process, kind, event, the position that it follows from.
PLAN = {
    "orders": (
        (1, 1, 1, None, None), (2, 1, 2, "order.placed", 1), (3, 2, 3, "order.placed", 2), (4, 3, 3, "order.placed", 2),
        (5, 2, 2, "payment.charged", 3), (6, 4, 3, "payment.charged", 5), (7, 4, 2, "order.shipped", 6),
        (8, 3, 3, "order.shipped", 7), (9, 3, 2, "mail.sent", 8), (10, 1, 3, "mail.sent", 9),
    ),
}  # fmt: skip


def make(path: Path, operations: int, shape: str) -> None:
    """Write the trace."""
    connection = open_for_writing(path)
    connection.execute(HEADS)
    connection.execute(
        "create temp table plan (place int, process int, kind int, event varchar, parent int, event_no int)"
    )
    if shape == "orders":
        rows = PLAN["orders"]
    elif shape == "storm":
        rows = ((1, 1, 2, "retry", None), (2, 2, 3, "retry", 1))
    elif shape == "fanout":
        rows = ((1, 1, 2, "broadcast", None), *((n, 2, 3, "broadcast", 1) for n in range(2, 10_002)))
    else:
        rows = (*((n, 1, 2, "part", None) for n in range(1, 21)), *((20 + n, 2, 3, "part", n) for n in range(1, 21)),
                *((n, 2, 2, "whole", None) for n in range(41, 51)))  # fmt: skip
    connection.executemany("insert into plan values (?, ?, ?, ?, ?, 0)", [list(row) for row in rows])
    width = len(rows)
    connection.execute(
        f"""
        create temp table made as
        select
            p.process * 1000000000000 + i * {width} + p.place as id, i, p.*,
            case when p.parent is not null then (select q.process from plan as q where q.place = p.parent) * 1000000000000
                + i * {width} + p.parent end as parent_id,
            (i * {width} + p.place) * 1000000 + (hash(i, p.place) % 900000)::bigint as at_ns
        from range(0, {operations // width}) as r(i), plan as p
        order by i, p.place
        """
    )
    connection.execute(
        """
        insert into msgtrace_store.operations (operation_id, point_id, site_id, handler_id, monotonic_ns, observed_at, duration_ns,
            channel, channel_kind, routing_key, event_type, headers, body_size, correlation_id, message_id, outcome)
        select
            id, process * 1000000 + kind, process * 1000000 + coalesce(length(event), 1) % 8 + 1,
            case when kind = 3 then process * 1000000 + coalesce(length(event), 1) % 8 + 1 end,
            at_ns, make_timestamp_ns(1700000000000000000 + at_ns), case when kind <> 1 then 5000 else 90000 end,
            case when kind = 1 then '/orders' else 'events' end, case when kind = 1 then 'route' else 'exchange' end,
            case when kind = 1 then 'POST' else event end, event, json_object('x-tenant', 'a', 'x-version', 1), 100,
            'c' || i, case when kind = 2 then 'm' || id end, 'ok'
        from made
        """
    )
    connection.execute(
        "insert into links select parent_id, id, 'x', 'exact' from made where kind = 3 and parent_id is not null"
    )
    connection.execute(
        "insert into causes select parent_id, id, 'x', 'exact' from made where kind = 2 and parent_id is not null"
    )
    if shape == "storm":
        connection.execute(
            "insert into causes select r.id, s.id, 'x', 'exact' from made as r inner join made as s on s.i = r.i + 1 and s.kind = 2 where r.kind = 3"
        )
    if shape == "batches":
        connection.execute(
            "insert into causes select r.id, s.id, 'x', 'guess' from made as r inner join made as s using (i) where r.kind = 3 and s.event = 'whole'"
        )
    connection.close()


def main() -> None:
    """Measure."""
    operations = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    shape = sys.argv[2] if len(sys.argv) > 2 else "orders"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.duckdb"
        make(path, operations, shape)
        with open_trace(path) as trace:
            started = time.perf_counter()
            with Study(trace) as study:
                print(f"copy            {time.perf_counter() - started:6.2f} s")
                started = time.perf_counter()
                prepare(study)
                print(f"names, places   {time.perf_counter() - started:6.2f} s")
                graph = None
                for name in ("graph", "flows", "conversations"):
                    started, worked = time.perf_counter(), time.process_time()
                    if graph is None:
                        graph = build_graph(study)
                    elif name == "flows":
                        flows(study, graph)
                    else:
                        conversations(study, graph)
                    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
                    print(
                        f"{name:15} {time.perf_counter() - started:6.2f} s wall, "
                        f"{time.process_time() - worked:.2f} s of processor, at most {peak:.0f} MB"
                    )


if __name__ == "__main__":
    main()
