"""Sagas: long transactions across services, held together by an id that their messages carry, or by cause alone.

What a correlation id holds together is a transaction here when at least two services publish at least three types of event in
it. What only cause and effect hold together is one when something in it was undone. Sources: Garcia-Molina and Salem, Sagas,
SIGMOD 1987; Richardson, Microservices Patterns, chapter 4.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Compensation, Evidence, Saga, SagaStep, Stuck, Transition
from msgtrace_analysis.passes.evidence import EXAMPLES
from msgtrace_analysis.passes.latency import latency_of
from msgtrace_analysis.passes.moods import mood
from msgtrace_analysis.passes.opposites import fails, opposed, undoes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.passes.graph import Graph
    from msgtrace_analysis.study import Study

SERVICES: Final = 2
TYPES: Final = 3
MOST_MESSAGES: Final = 1_000
"""An id that more messages carry than this is that of no transaction."""
SHAPES: Final = 20_000
"""Different sequences of event types that are looked at, the most frequent ones."""
ENOUGH: Final = 3
MOSTLY: Final = 0.8
LAST: Final = 0.5
"""The share of transactions with an event type that end with it, if that is how they end."""
BESIDE: Final = 0.1
"""Of the times that one type came before another: so often the other came first, if they go on side by side."""

# One row per send and the transaction that it is in: by correlation id; else by the causation id, which is the message id
# of what it follows from, up to the first; else by the one origin that it goes back to.
MEMBERS: Final = """
    create table saga_members as
    with recursive caused as (
        select c.operation_id, c.causation_id, any_value(o.operation_id) as before_id
        from correlated as c
        inner join flow as f on f.operation_id = c.operation_id and f.step is not null
        inner join operations as o on o.message_id = c.causation_id and o.kind = 'send'
        where c.correlation_id is null and c.causation_id is not null and o.operation_id <> c.operation_id
        group by all
    ), up(operation_id, before_id, hops) as (
        select operation_id, before_id, 1 from caused
        union all
        select u.operation_id, c.before_id, u.hops + 1
        from up as u
        inner join caused as c on c.operation_id = u.before_id
        where u.hops < 50
    ), first as (
        select operation_id, arg_max(before_id, hops) as first_id from up group by operation_id
    ), led as (
        select distinct first_id from first
    ), single as (
        select head, min(origin) as origin from flow_origins group by head having count(*) = 1
    )
    select
        f.operation_id, f.event, f.place, o.observed_ns, o.service,
        case
            when c.correlation_id is not null then 'correlation id'
            when t.first_id is not null or l.first_id is not null then 'causation id'
            else 'cause'
        end as held_by,
        case
            when c.correlation_id is not null then hash(c.correlation_id)
            when t.first_id is not null or l.first_id is not null then hash(coalesce(t.first_id, f.operation_id), 'causation')
            else hash(s.origin, 'cause')
        end as transaction
    from flow as f
    inner join operations as o using (operation_id)
    left join correlated as c using (operation_id)
    left join first as t using (operation_id)
    left join led as l on l.first_id = f.operation_id
    left join single as s using (head)
    where f.step is not null
        and (c.correlation_id is not null or t.first_id is not null or l.first_id is not null or s.origin is not null)
"""

# One row per sequence of event types in which transactions went: the first of each type counts. `ended_ns` is when the last
# message of each was sent, `took_ns` since the first, `gaps_ns` the longest silence in between.
SHAPES_OF: Final = f"""
    with crowded as (
        select transaction
        from saga_members
        group by transaction
        having count(*) between 2 and {MOST_MESSAGES} and count(distinct service) >= {SERVICES} and count(distinct event) >= 2
    ), failing as (
        select send_id, bool_or(how <> '') as failed from arrivals group by send_id
    ), typed as (
        select
            m.transaction, m.held_by, m.event, min(m.observed_ns) as first_ns, max(m.observed_ns) as last_ns,
            arg_min(m.service, m.operation_id) as service, min(m.operation_id) as operation_id,
            bool_or(coalesce(f.failed, false)) as failed
        from saga_members as m
        semi join crowded using (transaction)
        left join failing as f on f.send_id = m.operation_id
        group by m.transaction, m.held_by, m.event
    ), ordered as (
        select
            *, first_ns - lag(last_ns) over (partition by transaction order by first_ns, operation_id) as gap_ns
        from typed
    ), each_transaction as (
        select
            transaction, any_value(held_by) as held_by, list(event order by first_ns, operation_id) as events,
            list(service order by first_ns, operation_id) as services, list(failed order by first_ns, operation_id) as failed,
            arg_min(operation_id, (first_ns, operation_id)) as operation_id, min(first_ns) as began_ns, max(last_ns) as ended_ns,
            max(gap_ns) as gap_ns
        from ordered
        group by transaction
    )
    select
        held_by, events, services, failed, count(*), list_sort(min(operation_id, {EXAMPLES})), min(began_ns), max(ended_ns),
        list(ended_ns - began_ns), list(ended_ns), max(gap_ns)
    from each_transaction
    group by held_by, events, services, failed
    order by count(*) desc, events, services, failed
    limit {SHAPES}
"""
END: Final = "select max(observed_ns) from operations"


@dataclass(frozen=True, slots=True)
class Shape:
    """Transactions with the same event types in the same order.

    Attributes:
        failed: of each event type, whether its handling failed.
        ended_ns: when each transaction sent its last message.
        gap_ns: the longest time between two types.
    """

    held_by: str
    events: tuple[int, ...]
    services: tuple[str, ...]
    failed: tuple[bool, ...]
    instances: int
    examples: tuple[int, ...]
    first_ns: int
    last_ns: int
    took_ns: Sequence[int]
    ended_ns: Sequence[int]
    gap_ns: int


def sagas(study: Study, graph: Graph) -> tuple[Saga, ...]:
    """Find them. Needs the tables of `graph` and `correlation`."""
    study.run(MEMBERS)
    ((now_ns,),) = study.rows(END)
    names = {key: event.name for key, event in graph.events.items()}
    kinds: defaultdict[tuple[str, int], list[Shape]] = defaultdict(list)
    for held_by, events, services, failed, count, examples, first, last, took, ended, gap in study.rows(SHAPES_OF):
        shape = Shape(
            held_by,
            tuple(events),
            tuple(services),
            tuple(failed),
            count,
            tuple(examples),
            first,
            last,
            took,
            ended,
            gap or 0,
        )
        kinds[held_by, shape.events[0]].append(shape)
    found = [_saga(graph, names, shapes, now_ns) for shapes in kinds.values()]
    known = [each for each in found if each is not None]
    return tuple(sorted(known, key=lambda each: (each.name, each.begins, each.key)))


def _saga(graph: Graph, names: dict[int, str], shapes: list[Shape], now_ns: int) -> Saga | None:
    services = {each for shape in shapes for each in shape.services}
    types = {each for shape in shapes for each in shape.events}
    undone = compensations(shapes, names)
    if len(services) < SERVICES or len(types) < TYPES or (shapes[0].held_by == "cause" and not undone):
        return None
    ends, good = _ends(shapes), _ends([shape for shape in shapes if not any(shape.failed)])
    by = {each.by for each in undone.values()}
    fates: Counter[str] = Counter()
    stuck: defaultdict[int, list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
    patience = max(shape.gap_ns for shape in shapes)
    for shape in shapes:
        fate = _fate(shape, names, ends, good, by)
        if fate != "unfinished":
            fates[fate] += shape.instances
            continue
        idle = sum(now_ns - each > patience for each in shape.ended_ns)
        fates["stuck"] += idle
        fates["open"] += shape.instances - idle
        if idle:
            stuck[shape.events[-1]].append((idle, shape.examples))
    return Saga(
        begins=graph.events[shapes[0].events[0]].ref,
        name=names[shapes[0].events[0]],
        key=shapes[0].held_by,
        services=tuple(sorted(services)),
        steps=_steps(graph, shapes, by),
        compensations=tuple(_referred(graph, pair, each) for pair, each in sorted(undone.items(), key=_by_names(names))),
        instances=sum(shape.instances for shape in shapes),
        completed=fates["completed"],
        compensated=fates["compensated"],
        failed=fates["failed"],
        stuck=fates["stuck"],
        open=fates["open"],
        stuck_at=tuple(
            Stuck(
                graph.events[event].ref, names[event], sum(count for count, _ in known),
                tuple(sorted(each for _, examples in known for each in examples))[:EXAMPLES],
            )
            for event, known in sorted(stuck.items(), key=lambda each: names[each[0]])
        ),
        duration=latency_of([
            each for shape in shapes if _fate(shape, names, ends, good, by) != "unfinished" for each in shape.took_ns
        ]),
        evidence=_evidence(shapes),
        transitions=_transitions(graph, shapes),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Undone:
    """How often a step was undone by another, and after what."""

    by: int
    after: tuple[str, ...]
    instances: int
    without_failure: int
    certainty: Certainty


def compensations(shapes: Iterable[Shape], names: dict[int, str]) -> dict[tuple[int, int], Undone]:
    """Steps that another undoes, by (step, what undoes it): the names say so, and it comes after a failure.

    `likely` where that was seen several times and hardly ever without a failure, else `guess`.
    """
    seen: defaultdict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    after: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    mirrored: dict[tuple[int, int], bool] = {}
    for shape in shapes:
        for late, by in enumerate(shape.events):
            for early in range(late):
                pair = shape.events[early], by
                if mood(names[pair[0]]).mood == "thing":
                    continue  # a document of how something is: nothing was done
                if pair not in mirrored:
                    mirrored[pair] = undoes(names[by], names[pair[0]])
                alike = mirrored[pair] or (
                    shape.services[early] == shape.services[late] and opposed(names[by], names[pair[0]])
                )
                if not alike:
                    continue
                failed = _failures(shape, names, early, late)
                seen[pair]["failed" if failed else "fine"] += shape.instances
                after[pair].update(failed)
    found: dict[tuple[int, int], Undone] = {}
    for pair, counts in seen.items():
        total = counts.total()
        if counts["failed"] and counts["failed"] >= MOSTLY * total:
            sure = mirrored[pair] and counts["failed"] >= ENOUGH
            found[pair] = Undone(
                pair[1], tuple(sorted(after[pair])), counts["failed"], counts["fine"], "likely" if sure else "guess"
            )
    return found


def _failures(shape: Shape, names: dict[int, str], early: int, late: int) -> set[str]:
    """What failed from a step on, before another."""
    return {
        names[shape.events[place]]
        for place in range(early, late)
        if (shape.failed[place] or fails(names[shape.events[place]])) and (place > early or shape.failed[place])
    }


def _ends(shapes: Sequence[Shape]) -> set[int]:
    """Event types that transactions end with: mostly the last, or followed only by what comes before them as well.

    What goes on side by side ends in either order.
    """
    last: Counter[int] = Counter()
    having: Counter[int] = Counter()
    order: Counter[tuple[int, int]] = Counter()
    for shape in shapes:
        last[shape.events[-1]] += shape.instances
        for place, event in enumerate(shape.events):
            having[event] += shape.instances
            for later in shape.events[place + 1 :]:
                order[event, later] += shape.instances
    mostly = {event for event, count in last.items() if count >= LAST * having[event]}
    beside = {
        event
        for event in last
        if all(order[later, event] >= BESIDE * order[event, later] for one, later in list(order) if one == event)
    }
    return mostly | beside


def _fate(shape: Shape, names: dict[int, str], ends: set[int], good: set[int], by: set[int]) -> str:
    """How transactions went; `good` are the ends of those in which no handler failed."""
    if by.intersection(shape.events):
        return "compensated"
    if any(fails(names[event]) for event in shape.events):
        return "failed"
    if any(shape.failed):
        return "completed" if good.intersection(shape.events) else "failed"
    return "completed" if ends.intersection(shape.events) else "unfinished"


def _steps(graph: Graph, shapes: Iterable[Shape], by: set[int]) -> tuple[SagaStep, ...]:
    """Every event type with the service that publishes it, in the order of its mean place."""
    places: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    for shape in shapes:
        for place, step in enumerate(zip(shape.events, shape.services, strict=True)):
            places[step][0] += shape.instances
            places[step][1] += shape.instances * place
    order = sorted(places, key=lambda step: (places[step][1] / places[step][0], graph.events[step[0]].ref, step[1]))
    return tuple(
        SagaStep(
            graph.events[event].ref, graph.events[event].name, service, places[event, service][0],
            "compensation" if event in by else "failure" if fails(graph.events[event].name) else "step",
        )
        for event, service in order
    )  # fmt: skip


def _transitions(graph: Graph, shapes: Iterable[Shape]) -> tuple[Transition, ...]:
    """What came next, from the begin to the end of each."""
    counts: Counter[tuple[tuple[str, str] | None, tuple[str, str] | None]] = Counter()
    for shape in shapes:
        way = [(graph.events[event].ref, service) for event, service in zip(shape.events, shape.services, strict=True)]
        for pair in pairwise([None, *way, None]):
            counts[pair] += shape.instances
    return tuple(
        Transition(*pair, count) for pair, count in sorted(counts.items(), key=lambda each: (-each[1], repr(each[0])))
    )


def _referred(graph: Graph, pair: tuple[int, int], found: Undone) -> Compensation:
    undone, by = (graph.events[each] for each in pair)
    return Compensation(
        undone.ref, undone.name, by.ref, by.name, found.after, found.instances, found.without_failure, found.certainty
    )


def _by_names(names: dict[int, str]) -> Any:
    return lambda item: (names[item[0][0]], names[item[0][1]], item[0])


def _evidence(shapes: Sequence[Shape]) -> Evidence:
    return Evidence(
        operations=sum(shape.instances for shape in shapes),
        examples=tuple(sorted(each for shape in shapes for each in shape.examples)[:EXAMPLES]),
        first_seen_ns=min(shape.first_ns for shape in shapes),
        last_seen_ns=max(shape.last_ns for shape in shapes),
        certainty="guess" if shapes[0].held_by == "cause" else "likely",
    )
