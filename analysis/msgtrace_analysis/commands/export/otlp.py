"""`msgtrace export otlp`: a trace's operations as OpenTelemetry spans and metrics, to any backend that takes OTLP."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

import click

from msgtrace_analysis.commands.follow import linked
from msgtrace_analysis.commands.opening import db_option, opened
from msgtrace_analysis.commands.sql import tuples
from msgtrace_analysis.renderers.otlp_metrics import BOUNDS_S, Measured, metrics
from msgtrace_analysis.renderers.otlp_spans import Relations, SpanRow, spans
from msgtrace_collectors.otlp.sending import Endpoint, EndpointError

if TYPE_CHECKING:
    from pathlib import Path

    from msgtrace_collectors.trace import Trace

AT_ONCE: Final = 500
SETTLED_S: Final = 5.0
"""What is younger is not sent while it is recorded: its links, its end and its causes may be still to come."""
PAUSE_S: Final = 2.0
KINDS: Final = ("send", "receive", "process", "settle", "trigger", "call")

_WHERE: Final = (
    f"kind in ({', '.join(repr(kind) for kind in KINDS)}) and operation_id > $1 and epoch_ns(observed_at) <= $2"
)
OPERATIONS: Final = f"""
    select
        operation_id, kind, system, client, service, host, process_id, pid, epoch_ns(observed_at) as began_ns,
        coalesce(duration_ns, 0) as duration_ns, server, channel, channel_kind, routing_key, message_key, partition_id,
        log_offset, consumer_group, delivery_tag, message_id, correlation_id, trace_id, span_id, body_size, event_type,
        outcome, error_type, coalesce(handler_site, code_site) as site, attempt, redelivered
    from operations
    where {_WHERE}
    order by operation_id
    limit {AT_ONCE}
"""
LINKS: Final = """
    select receive_id, send_id, certainty from links where receive_id between $1 and $2
    union all
    select settle_id, receive_id, 'exact' from settlements where settle_id between $1 and $2
"""
CAUSES: Final = "select effect_id, cause_id, certainty from causes where effect_id between $1 and $2"
# One row per operation of the pages to come: the first of what it follows from, the least id where there are several.
ROOTS: Final = """
    with recursive steps as (
        select effect_id as id, min(cause_id) as before from causes where certainty <> 'guess' group by 1
        union all
        select receive_id, min(send_id) from links where certainty <> 'guess' group by 1
    ),
    walked as (
        select id, before, 1 as depth from steps where id between $1 and $2
        union all
        select w.id, s.before, depth + 1 from walked as w join steps as s on s.id = w.before where depth < 100
    )
    select id, arg_max(before, depth) as root from walked group by id
"""
TRACE_IDS: Final = (
    "select operation_id, trace_id from operations where trace_id is not null and list_contains($1, operation_id)"
)
_BUCKETS: Final = ", ".join(
    f"count(*) filter (s > {low} and s <= {high})"
    for low, high in zip((-1, *BOUNDS_S), (*BOUNDS_S, 10**12), strict=True)
)
MEASURED: Final = f"""
    select
        service, host, process_id, pid, kind, system, channel, server, consumer_group, error_type, count(*),
        coalesce(sum(s), 0), [{_BUCKETS}], min(began_ns), max(began_ns)
    from (
        select *, epoch_ns(observed_at) as began_ns, coalesce(duration_ns, 0) / 1e9 as s from operations
        where kind in ('send', 'receive', 'process', 'settle')
    )
    group by all
    order by all
"""


@click.command()
@db_option
@click.option("--endpoint", envvar="OTEL_EXPORTER_OTLP_ENDPOINT", required=True, metavar="URL",
              help="http(s)://HOST:4317 for gRPC, http(s)://HOST:4318 for HTTP.")  # fmt: skip
@click.option("--protocol", envvar="OTEL_EXPORTER_OTLP_PROTOCOL", type=click.Choice(["grpc", "http/protobuf"]),
              help="By the port otherwise.")  # fmt: skip
@click.option("--follow", is_flag=True, help="Go on while it is recorded, until Ctrl-C or its end.")
@click.option("--no-metrics", is_flag=True, help="Spans only.")
def otlp(db: Path, endpoint: str, protocol: str | None, follow: bool, no_metrics: bool) -> None:  # noqa: FBT001 - click passes by name
    """Send operations as spans with messaging conventions, and metrics, to what takes OpenTelemetry's protocol.

    A consumer's spans link to the sends that they come from. No body and no header is sent. Headers of requests, such as keys of
    a backend, are read from OTEL_EXPORTER_OTLP_HEADERS.
    """
    try:
        target = Endpoint.parse(endpoint, protocol, os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", ""))
        with opened(db) as trace, target:
            count = _send(trace, target, follow=follow, with_metrics=not no_metrics)
    except EndpointError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        return
    click.echo(f"msgtrace: {count} spans sent to {target.shown}", err=True)


def _send(trace: Trace, target: Endpoint, *, follow: bool, with_metrics: bool) -> int:
    count, waiting = 0, True
    seen: dict[int, int] = {}
    while waiting:
        waiting = follow and trace.recording
        until_ns = time.time_ns() - int(SETTLED_S * 1e9) if waiting else 2**62
        linked(trace)
        count += _send_spans(trace, target, seen, until_ns)
        if with_metrics:
            rows = [Measured(*row) for row in tuples(trace.query(MEASURED))]
            if rows:
                target.send_metrics(metrics(rows))
        if waiting:
            time.sleep(PAUSE_S)
    return count


def _send_spans(trace: Trace, target: Endpoint, seen: dict[int, int], until_ns: int) -> int:
    """Send what has not been sent, page by page, in the order of ids."""
    count = 0
    ((identity,),) = tuples(trace.query("select cast(trace_id as varchar) from trace_file"))
    for number in sorted({row[0] for row in tuples(trace.query("select process_number from processes"))}):
        after, last = seen.get(number, number * 10**12), (number + 1) * 10**12
        while True:
            query = OPERATIONS.replace("operation_id > $1", f"operation_id > $1 and operation_id < {last}")
            rows = [SpanRow(*row) for row in tuples(trace.query(query, [after, until_ns]))]
            if not rows:
                break
            target.send_spans(spans(rows, _relations(trace, rows), str(identity)))
            after = seen[number] = rows[-1].operation_id
            count += len(rows)
    return count


def _relations(trace: Trace, rows: list[SpanRow]) -> Relations:
    between = [rows[0].operation_id, rows[-1].operation_id]
    links, causes, roots = (tuples(trace.query(query, between)) for query in (LINKS, CAUSES, ROOTS))
    named = sorted({row[1] for row in (*links, *causes, *roots)} | {row.operation_id for row in rows})
    known: dict[int, Any] = dict(tuples(trace.query(TRACE_IDS, [named]))) if named else {}
    return Relations.of(links, causes, roots, known)
