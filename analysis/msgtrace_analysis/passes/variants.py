"""Variants: the different ways in which a flow went, the usual one and the rare ones, and which of them failed.

A variant is the set of all that happened after one trigger. How often a part of it was repeated does not matter: three
lines of an order or four are one way, and so are one retry and two.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import CERTAINTIES, Hop, Variant
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from msgtrace_analysis.passes.graph import Graph
    from msgtrace_analysis.study import Study

LISTED: Final = 20
"""Variants of one flow."""

# One row per head and thing that happened below it: a message received at a place, with what came of it; a message that
# was not received; an origin that failed. `began_ns` is of the first.
ELEMENTS: Final = """
    create table flow_elements as
    with happened as (
        select a.head, a.step, a.receiver, a.how, a.dead, greatest(a.rank, f.way_rank) as rank
        from arrivals as a
        inner join flow as f on f.operation_id = a.send_id
        union all
        select
            f.head, f.step, null, case when o.outcome in ('raised', 'returned') then o.outcome else '' end, false,
            f.way_rank
        from flow as f
        inner join operations as o using (operation_id)
        anti join arrivals as a on a.send_id = f.operation_id
        where f.step is not null
        union all
        select f.head, null, f.place, coalesce(e.how, 'raised'), false, 0
        from flow as f
        inner join operations as o using (operation_id)
        left join failed as e on e.receive_id = f.operation_id
        where f.step is null and f.cause_id is null and f.operation_id in (select origin from flow_origins)
            and (e.how is not null or (f.kind = 'trigger' and (o.outcome = 'raised' or o.error_type is not null)))
    )
    select
        head, hash(step, receiver, how, dead) as element, any_value(step) as step, any_value(receiver) as receiver,
        any_value(how) as how, any_value(dead) as dead, max(rank) as rank
    from happened
    group by head, element
"""

# One row per element.
MEANINGS: Final = """
    with steps as (
        select step, any_value(event) as event, any_value(place) as place, min(depth) as depth
        from flow
        where step is not null
        group by step
    ), elements as (
        select element, any_value(step) as step, any_value(receiver) as receiver, any_value(how) as how, any_value(dead) as dead
        from flow_elements
        group by element
    )
    select e.element, s.event, s.place, e.receiver, e.how, e.dead, coalesce(s.depth, 0)
    from elements as e
    left join steps as s using (step)
"""

# One row per origin that something goes back to by a guess that others share: what followed from which can't be told.
AMBIGUOUS: Final = """
    create table ambiguous as
    with crowded as (
        select o.head
        from flow_origins as o
        inner join flow as f on f.operation_id = o.head
        group by o.head
        having count(*) > 1 and max(f.way_rank) = 2
    )
    select distinct trigger, origin from flow_origins semi join crowded using (head)
"""
AMBIGUOUS_OF: Final = "select trigger, count(*) from ambiguous group by trigger"

# One row per execution and element of it.
EXECUTED: Final = """
    create temp table executed as
    select t.trigger, t.origin, e.element, any_value(t.observed_ns) as observed_ns, max(greatest(e.rank, 1)) as rank
    from flow_origins as t
    inner join flow_elements as e using (head)
    anti join ambiguous as a on a.trigger = t.trigger and a.origin = t.origin
    group by t.trigger, t.origin, e.element
"""

# One row per flow and set of elements; the most frequent of each flow, and how many executions the flow had. That this
# is all that followed is never exact. Sets are told apart by 128 bits of hashes: there are as many as executions, and only
# those of one execution of each variant are written out.
VARIANTS: Final = f"""
    with executions as (
        select
            trigger, origin as operation_id, any_value(observed_ns) as observed_ns, max(rank) as rank,
            bit_xor(element) as one, bit_xor(hash(element, 1)) as other
        from executed
        group by trigger, origin
    ), grouped as (
        select trigger, one, other, max(rank) as rank, {EVIDENCE.replace("count(*)", "count(*) as executions", 1)},
            min(operation_id) as example
        from executions
        group by trigger, one, other
    ), written as (
        select g.trigger, g.example, list_sort(list(e.element)) as elements
        from executed as e
        inner join grouped as g on g.trigger = e.trigger and g.example = e.origin
        group by g.trigger, g.example
    )
    select
        g.trigger, w.elements, g.* exclude (trigger, one, other, example),
        cast(sum(g.executions) over (partition by g.trigger) as bigint) as total
    from grouped as g
    inner join written as w using (trigger, example)
    qualify row_number() over (partition by g.trigger order by g.executions desc, w.elements) <= {LISTED}
"""


@dataclass(frozen=True, slots=True)
class Variants:
    """Of every flow, by its trigger's number: the variants, and the executions of those that are not listed or can't be told."""

    listed: Mapping[int, tuple[Variant, ...]]
    unlisted: Mapping[int, int]
    ambiguous: Mapping[int, int]


def variants(study: Study, graph: Graph) -> Variants:
    """Find them. Needs the tables of `graph`."""
    study.run(ELEMENTS)
    study.run(AMBIGUOUS)
    study.run(EXECUTED)
    hops: dict[int, tuple[tuple[Any, ...], Hop]] = {}
    for element, event, place, receiver, how, dead, depth in study.rows(MEANINGS):
        hop = Hop(
            event="" if event is None else graph.events[event].ref,
            name="" if event is None else graph.events[event].name,
            publisher=None if place is None else graph.places[place],
            target=None if receiver is None else graph.places[receiver],
            outcome=how,
            dead_lettered=dead,
        )
        hops[element] = ((depth, *_order(hop)), hop)
    found: defaultdict[int, list[Variant]] = defaultdict(list)
    totals: dict[int, int] = {}
    for trigger, elements, rank, *rest, total in study.rows(VARIANTS):
        ordered = tuple(hop for _, hop in sorted((hops[each] for each in elements), key=lambda each: each[0]))
        found[trigger].append(_variant(ordered, evidence(rest, CERTAINTIES[rank])))
        totals[trigger] = total
    study.run("drop table executed")
    for each in found.values():
        each.sort(key=lambda one: (-one.executions, one.evidence.examples))
    return Variants(
        {trigger: tuple(each) for trigger, each in found.items()},
        {trigger: totals[trigger] - sum(one.executions for one in each) for trigger, each in found.items()},
        dict(study.rows(AMBIGUOUS_OF)),
    )


def _variant(hops: tuple[Hop, ...], found: Any) -> Variant:
    return Variant(hops, found.operations, any(hop.outcome or hop.dead_lettered for hop in hops), found)


def _order(hop: Hop) -> tuple[str, ...]:
    places: Iterable[Any] = (hop.publisher, hop.target)
    return (
        hop.name,
        hop.event,
        *(part for each in places for part in _words(each)),
        hop.outcome,
        str(hop.dead_lettered),
    )


def _words(place: Any) -> tuple[str, ...]:
    return ("", "", "") if place is None else (place.service, place.name, place.site)
