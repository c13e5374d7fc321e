"""Synchronous calls with a message to fall back on: the same handler calls, the call fails, and it sends instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import CERTAINTIES, Fallback, weakest
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.passes.graph import Graph
    from msgtrace_analysis.study import Study

ENOUGH: Final = 3
MOSTLY: Final = 0.8

# One row per handler, call, and event type that the handler sent after such calls.
FOLLOWED: Final = f"""
    with handled as (
        select c.*, p.place
        from calls as c
        inner join flow_keys as p on p.operation_id = c.cause_id
        where c.outcome <> 'unknown'
    ), after as (
        select c.operation_id, f.event, max(coalesce(f.rank, 0)) as rank
        from handled as c
        inner join flow as f on f.cause_id = c.cause_id and f.step is not null
        inner join operations as s on s.operation_id = f.operation_id
        where s.process_id = c.process_id and s.monotonic_ns >= c.ended_ns
        group by c.operation_id, f.event
    ), totals as (
        select place, target, count(*) filter (failure is not null) as failed, count(*) filter (failure is null) as succeeded
        from handled
        group by place, target
    )
    select
        c.place, c.target, a.event, any_value(t.failed), any_value(t.succeeded),
        count(*) filter (c.failure is not null), count(*) filter (c.failure is null),
        list_sort(list(c.failure) filter (c.failure is not null)),
        max(greatest(a.rank, c.rank)) filter (c.failure is not null),
        {
    EVIDENCE.replace("count(*)", "count(*) filter (c.failure is not null)")
    .replace("operation_id", "c.operation_id")
    .replace("min(c.operation_id, ", "min(case when c.failure is not null then c.operation_id end, ")
}
    from handled as c
    inner join after as a using (operation_id)
    inner join totals as t on t.place = c.place and t.target = c.target
    group by c.place, c.target, a.event
    having count(*) filter (c.failure is not null) >= {MOSTLY} * any_value(t.failed)
        and count(*) filter (c.failure is null) <= {1 - MOSTLY} * any_value(t.succeeded)
        and any_value(t.failed) > 0
"""


def fallbacks(study: Study, graph: Graph) -> tuple[Fallback, ...]:
    """Find them. Needs the tables of `graph`, and `calls`."""
    found = [_fallback(graph, row) for row in study.rows(FOLLOWED)]
    return tuple(sorted(found, key=lambda each: (str(each.handler), each.call, each.name, each.event)))


def _fallback(graph: Graph, row: tuple[Any, ...]) -> Fallback:
    place, target, event, failed, succeeded, followed, otherwise, failures, rank, *rest = row
    # Without calls that went well, the message may as well be sent every time.
    told: Certainty = "likely" if failed >= ENOUGH and succeeded >= ENOUGH else "guess"
    return Fallback(
        handler=graph.places[place],
        call=target,
        failures=tuple((each, failures.count(each)) for each in dict.fromkeys(failures)),
        event=graph.events[event].ref,
        name=graph.events[event].name,
        followed=followed,
        failed=failed,
        otherwise=otherwise,
        succeeded=succeeded,
        evidence=evidence(rest, weakest((told, CERTAINTIES[rank]))),
    )
