"""Follows single executions of flows, one operation after the other: of each flow the usual way, and one that failed."""

from __future__ import annotations

import heapq
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import CERTAINTIES, Execution, Moment
from msgtrace_analysis.passes.events import ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from msgtrace_analysis.findings import Flow
    from msgtrace_analysis.study import Study

MOST: Final = 60
"""Executions that are followed; of the flows that go through most services."""
LONGEST: Final = 100
"""Operations of one."""

# One row per operation that goes back to one of some origins, and the surest one that it follows from: of a receive, its send.
OPERATIONS: Final = """
    with chosen as materialized (
        select distinct o.origin, f.operation_id, f.cause_id, f.rank
        from (select head, origin from flow_origins where origin in (select unnest($1))) as o
        inner join flow as f using (head)
    ), linked as (
        select l.receive_id as operation_id, min(l.send_id) as send_id,
            min(case l.certainty when 'exact' then 0 when 'likely' then 1 else 2 end) as rank
        from best_links as l
        semi join chosen as c on c.operation_id = l.receive_id
        group by l.receive_id
    )
    select
        c.origin, o.operation_id, coalesce(l.send_id, c.cause_id), coalesce(l.rank, c.rank), o.kind, o.service, o.observed_ns,
        o.duration_ns, coalesce(o.channel, ''), o.outcome, coalesce(o.error_type, ''),
        coalesce(p.name, o.code_function, ''), coalesce(p.site, o.code_site, ''),
        m.system, m.address_kind, m.address, m.name
    from chosen as c
    inner join operations as o using (operation_id)
    left join linked as l using (operation_id)
    left join places as p using (operation_id)
    left join messages as m using (operation_id)
    where o.kind in ('trigger', 'send', 'receive', 'process', 'settle', 'call')
    order by c.origin, o.observed_ns, o.operation_id
"""


def executions(study: Study, flows: Sequence[Flow]) -> tuple[Execution, ...]:
    """Follow some. Needs the tables of `graph`."""
    chosen = list(islice(_chosen(flows), MOST))
    rows: defaultdict[int, list[Any]] = defaultdict(list)
    for origin, *row in study.rows(OPERATIONS, [[origin for origin, _, _ in chosen]]) if chosen else ():
        rows[origin].append(row)
    return tuple(_execution(flow, variant, rows[origin]) for origin, flow, variant in chosen if rows[origin])


def _chosen(flows: Sequence[Flow]) -> Iterator[tuple[int, int, int]]:
    """Origin, flow, variant: the flows that go through most services first; usual ways before those that failed."""
    wanted = sorted(range(len(flows)), key=lambda place: (-_services(flows[place]), -len(flows[place].steps), place))
    usual = [(place, 0) for place in wanted if flows[place].variants and flows[place].steps]
    failed = [
        (place, number)
        for place, _ in usual
        for number in [next((n for n, each in enumerate(flows[place].variants) if each.failed), 0)]
        if number
    ]
    for place, number in (*usual, *failed):
        examples = flows[place].variants[number].evidence.examples
        if examples:
            yield examples[0], place, number


def _services(flow: Flow) -> int:
    return len({each.place.service for step in flow.steps for each in step.deliveries} | {flow.trigger.service})


def _execution(flow: int, variant: int, rows: Sequence[Any]) -> Execution:
    begun = rows[0][5]
    moments = in_order([_moment(row, begun) for row in rows])
    return Execution(flow, variant, begun, tuple(moments[:LONGEST]), max(0, len(moments) - LONGEST))


def _moment(row: Any, begun: int) -> Moment:
    operation, follows, rank, kind, service, at, took, channel, outcome, error, function, site, *event = row
    return Moment(
        operation_id=operation, kind=kind, service=service,
        event="" if event[3] is None else ref(*event), name=event[3] or "", channel=channel, at_ns=at - begun, duration_ns=took,
        follows=follows, certainty=CERTAINTIES[rank or 0], outcome=outcome, error_type=error, function=function, site=site,
    )  # fmt: skip


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """By their clocks, but what follows from another after that: the clocks of two machines may differ.

    What follows from itself in a circle comes last.
    """
    known = {each.operation_id: each for each in moments}
    after: defaultdict[int, list[Moment]] = defaultdict(list)
    ready: list[tuple[int, int]] = []
    for each in known.values():
        if each.follows in known and each.follows != each.operation_id:
            after[each.follows].append(each)
        else:
            ready.append((each.at_ns, each.operation_id))
    heapq.heapify(ready)
    ordered: list[Moment] = []
    while ready:
        _, operation = heapq.heappop(ready)
        ordered.append(known.pop(operation))
        for each in after[operation]:
            heapq.heappush(ready, (each.at_ns, each.operation_id))
    return ordered + sorted(known.values(), key=lambda each: (each.at_ns, each.operation_id))
