"""Flows: what starts messages moving, and which messages follow, published and received where, how often, how fast.

Every single message is followed to what it came of; the flows are sums over these, so a handler that serves two
triggers does not mix their flows.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import CERTAINTIES, Delivery, Flow, Step, weakest
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.graph import build_graph
from msgtrace_analysis.passes.latency import latency_of, target_of
from msgtrace_analysis.passes.style import style_of
from msgtrace_analysis.passes.variants import variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from msgtrace_analysis.findings import Certainty, Variant
    from msgtrace_analysis.passes.graph import Graph, Trigger
    from msgtrace_analysis.study import Study

# One row per head of a lineage and flow that it belongs to.
HEADS: Final = "create table flow_heads as select distinct head, trigger from flow_origins"

# One row per step of a flow. That nothing caused a message is never exact: what was found to have none may have had one.
STEPS: Final = f"""
    with sent as (
        select h.trigger, f.*, o.observed_ns, f.operation_id not in (select send_id from arrivals) as unreceived
        from flow as f
        inner join flow_heads as h using (head)
        inner join operations as o using (operation_id)
        where f.step is not null
    )
    select
        trigger, step, any_value(event), any_value(place), any_value(because), min(depth),
        max(case when cause_id is null then 1 else way_rank end),
        count(*) filter (unreceived), {EVIDENCE}
    from sent
    group by trigger, step
"""

# One row per step of a flow: how many of the flow's triggers were followed by it.
AFTER: Final = """
    select o.trigger, f.step, count(distinct o.origin)
    from (select distinct head, step from flow where step is not null) as f
    inner join flow_origins as o using (head)
    group by all
"""

# One row per step of a flow and place that received its messages. The first receive of a message counts for its time.
DELIVERIES: Final = """
    with each_message as (
        select
            h.trigger, a.step, a.receiver, a.send_id, count(*) as receives, max(a.rank) as rank,
            min(a.took_ns) as took_ns,
            count(*) filter (a.how = 'raised') as raised, count(*) filter (a.how = 'reject') as rejected,
            count(*) filter (a.how = 'nack') as nacked, count(*) filter (a.how = 'requeue') as requeued,
            count(*) filter (a.dead) as dead
        from arrivals as a
        inner join flow_heads as h using (head)
        group by h.trigger, a.step, a.receiver, a.send_id
    ), each_place as (
        select
            h.trigger, a.step, a.receiver, list(a.handling_ns) filter (a.handling_ns is not null) as handling_ns,
            list_sort(list(distinct a.consumer_group) filter (a.consumer_group is not null)) as groups
        from arrivals as a
        inner join flow_heads as h using (head)
        group by h.trigger, a.step, a.receiver
    ), each_receiver as (
        select
            trigger, step, receiver, count(*) as messages, cast(sum(receives) as bigint) as receives, max(rank) as rank,
            cast([sum(raised), sum(rejected), sum(nacked), sum(requeued), sum(dead)] as bigint[]) as failed,
            list(took_ns) as took_ns
        from each_message
        group by trigger, step, receiver
    )
    select trigger, step, receiver, messages, receives, rank, groups, failed, took_ns, handling_ns
    from each_receiver
    inner join each_place using (trigger, step, receiver)
"""
FAILED: Final = ("raised", "reject", "nack", "requeue", "dead-lettered")

# One row per flow. Its end is that of the last operation, wherever it was.
TRIGGERS: Final = f"""
    with ended as (
        select f.head, max(o.observed_ns + coalesce(o.duration_ns, 0)) as ended_ns
        from flow as f
        inner join operations as o using (operation_id)
        group by f.head
    ), each_origin as (
        select
            t.trigger, t.origin as operation_id, any_value(t.observed_ns) as observed_ns,
            max(e.ended_ns) - any_value(t.observed_ns) as took_ns,
            bool_or(t.head in (select head from flow where step is not null)) as followed
        from flow_origins as t
        inner join ended as e using (head)
        group by t.trigger, t.origin
    )
    select
        trigger, count(*) filter (not followed) as silent, list(took_ns) filter (followed) as took_ns, {EVIDENCE}
    from each_origin
    group by trigger
    order by trigger
"""

# One row per flow: the receives of one message, without its redeliveries.
REACH: Final = """
    with each_message as (
        select send_id, any_value(head) as head, count(*) filter (not again) as receives from arrivals group by send_id
    )
    select trigger, max(receives) from each_message inner join flow_heads using (head) group by trigger
"""


def flows(study: Study, graph: Graph | None = None) -> tuple[Flow, ...]:
    """Find all flows.

    Args:
        study: with the tables of `naming` and `place_operations`.
        graph: of it, if that is built already.
    """
    graph = graph or build_graph(study)
    study.run(HEADS)
    steps = _steps(study, graph)
    ways = variants(study, graph)
    reach = dict(study.rows(REACH))
    found = [
        _flow(
            graph.triggers[trigger], row, steps[trigger],
            fan_out=reach.get(trigger, 0), ways=ways.listed.get(trigger, ()), unlisted=ways.unlisted.get(trigger, 0),
            ambiguous=ways.ambiguous.get(trigger, 0),
        )
        for trigger, *row in _rows(study.table(TRIGGERS))
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda flow: (flow.group, flow.name, flow.trigger.site, flow.arrives or "")))


def _rows(table: pa.Table) -> Iterator[list[Any]]:
    """A table's rows. Lists of integers stay in columns: they may be long."""
    columns: list[Any] = [
        _lists(column) if name.endswith("_ns") and str(column.type).startswith("list") else column.to_pylist()
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    return (list(row) for row in zip(*columns, strict=True))


def _lists(column: pa.ChunkedArray[Any]) -> list[Any]:
    return [() if each.values is None else each.values.to_numpy(zero_copy_only=False) for each in column]


def _steps(study: Study, graph: Graph) -> defaultdict[int, list[Step]]:
    deliveries: defaultdict[tuple[int, int], list[Delivery]] = defaultdict(list)
    for trigger, step, *row in _rows(study.table(DELIVERIES)):
        deliveries[trigger, step].append(_delivery(graph, row))
    after = {(trigger, step): count for trigger, step, count in study.rows(AFTER)}
    found: defaultdict[int, list[Step]] = defaultdict(list)
    for trigger, step, *row in study.rows(STEPS):
        found[trigger].append(_step(graph, row, after[trigger, step], deliveries[trigger, step]))
    for steps in found.values():
        steps.sort(key=_reading_order)
    return found


def _delivery(graph: Graph, row: list[Any]) -> Delivery:
    receiver, messages, receives, rank, groups, failed, took_ns, handling_ns = row
    return Delivery(
        place=graph.places[receiver],
        messages=messages,
        receives=receives,
        latency=latency_of(took_ns),
        certainty=CERTAINTIES[rank],
        handling=latency_of(handling_ns),
        target=target_of(took_ns),
        groups=tuple(each for each in groups or () if each is not None),
        failed=tuple((how, count) for how, count in zip(FAILED, failed, strict=True) if count),
    )


def _step(graph: Graph, row: list[Any], after: int, deliveries: Iterable[Delivery]) -> Step:
    event, place, because, depth, rank, unreceived, *rest = row
    found = evidence(rest, CERTAINTIES[rank])
    return Step(
        event=graph.events[event].ref,
        name=graph.events[event].name,
        publisher=graph.places[place],
        because=None if because is None else graph.places[because],
        messages=found.operations,
        after=after,
        unreceived=unreceived,
        depth=depth,
        deliveries=tuple(sorted(deliveries, key=lambda each: (each.place.service, each.place.name, each.place.site))),
        evidence=found,
    )


def _flow(
    trigger: Trigger,
    row: list[Any],
    steps: list[Step],
    *,
    fan_out: int,
    ways: tuple[Variant, ...],
    unlisted: int,
    ambiguous: int,
) -> Flow:
    silent, took_ns, *rest = row
    begun = evidence(rest, weakest(_certainties(steps)))
    place, arrives = trigger.place, trigger.arrives
    return Flow(
        group=place.service,
        name=f"{arrives.name} from outside the trace" if arrives else place.name or place.site or "library code",
        trigger=place,
        arrives=arrives.ref if arrives else None,
        triggered=begun.operations,
        silent=silent,
        steps=tuple(steps),
        evidence=begun,
        depth=max((step.depth for step in steps), default=0),
        fan_out=fan_out,
        end_to_end=latency_of(took_ns),
        target=target_of(took_ns),
        variants=ways,
        unlisted=unlisted,
        ambiguous=ambiguous,
        style=style_of(steps),
    )


def _certainties(steps: Iterable[Step]) -> Iterator[Certainty]:
    for step in steps:
        yield step.evidence.certainty
        for each in step.deliveries:
            yield each.certainty


def _reading_order(step: Step) -> tuple[int, str, str, str, str, str]:
    because = step.because
    handled = ("", "") if because is None else (because.name, because.site)
    return (step.depth, step.name, step.event, step.publisher.site, handled[0], handled[1])
