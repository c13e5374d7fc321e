"""Circles of event types: handling one leads to another, and that leads back; retries through the same channel included."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from msgtrace_analysis.findings import CERTAINTIES, Cycle, weakest
from msgtrace_analysis.passes.components import components
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.passes.graph import Graph
    from msgtrace_analysis.study import Study

# One row per send that follows from a message: both event types. Between the two may stand the handler's own operation.
LED: Final = """
    create table led as
    select f.operation_id, coalesce(c.event, d.event) as before, f.event as after,
        greatest(f.rank, coalesce(c.rank, 0)) as rank
    from flow as f
    inner join flow as c on c.operation_id = f.cause_id
    left join flow as d on d.operation_id = c.cause_id
    where f.step is not null and coalesce(c.event, d.event) is not null
"""
PAIRS: Final = "select distinct before, after from led order by all"

# One row per circle: its messages.
CIRCLES: Final = f"""
    select a.circle, max(l.rank), {EVIDENCE}
    from led as l
    inner join circles as b on b.event = l.before
    inner join circles as a on a.event = l.after and a.circle = b.circle
    inner join operations as o using (operation_id)
    group by a.circle
"""

# One row per circle: after how many triggers a type of it was sent at several depths, and at how many at the most.
ROUNDS: Final = """
    with each_head as (
        select c.circle, f.event, f.head, count(distinct f.depth) as depths
        from flow as f
        inner join circles as c on c.event = f.event
        where f.step is not null
        group by c.circle, f.event, f.head
        having count(distinct f.depth) > 1
    )
    select e.circle, count(distinct o.origin), max(e.depths) - 1
    from each_head as e
    inner join flow_origins as o using (head)
    group by e.circle
"""


def cycles(study: Study, graph: Graph) -> tuple[Cycle, ...]:
    """Find them. Needs the tables of `graph`."""
    study.run(LED)
    after: defaultdict[int, list[int]] = defaultdict(list)
    for before, event in study.rows(PAIRS):
        after[before].append(event)
        after[event]
    known = sorted(each for each in components(after) if len(each) > 1 or any(one in after[one] for one in each))
    rows = [(number, event) for number, each in enumerate(known) for event in each]
    study.keep(
        "circles",
        pa.table({
            "circle": pa.array([number for number, _ in rows], pa.int64()),
            "event": pa.array([event for _, event in rows], pa.uint64()),
        }),
    )  # fmt: skip
    rounds = {circle: (executions, most) for circle, executions, most in study.rows(ROUNDS)}
    found: list[Cycle] = []
    for circle, rank, *rest in study.rows(CIRCLES):
        executions, most = rounds.get(circle, (0, 0))
        # Types that lead to each other in different transactions only are no circle that anything went round in.
        # That it was sent again, further on, need not be because of the first, unless it is led to by itself.
        went: Certainty = "guess" if not executions else "exact" if len(known[circle]) == 1 else "likely"
        shown = evidence(rest, weakest((CERTAINTIES[rank], went)))
        events = tuple(sorted((graph.events[each].ref, graph.events[each].name) for each in known[circle]))
        found.append(Cycle(events, shown.operations, executions, most, shown))
    return tuple(sorted(found, key=lambda each: each.events))
