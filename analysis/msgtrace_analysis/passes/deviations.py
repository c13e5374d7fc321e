"""Publishers and consumers that differ from the others of the same event type: what all others set or do, and they don't."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Deviation, Evidence
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from msgtrace_analysis.findings import Place
    from msgtrace_analysis.passes.graph import Graph
    from msgtrace_analysis.study import Study

ENOUGH: Final = 3
"""Messages of a place, and of the others, before they are compared."""
SAMPLE: Final = 50
"""Bodies of each publisher of an event type."""
MOST: Final = 20_000
"""Bodies in all."""
LONGEST: Final = 200
"""Names of headers and fields that one publisher's messages may have before they are taken for data."""

# One row per event type with several publishers and per publisher: what the messages carry.
PUBLISHERS: Final = f"""
    with several as (
        select event from flow where step is not null group by event having count(distinct place) > 1
    )
    select
        f.event, f.place,
        [
            count(o.message_id), count(o.correlation_id), count(o.trace_id), count(o.event_type),
            count(*) filter (o.delivery_mode = 2)
        ],
        {EVIDENCE}
    from flow as f
    semi join several using (event)
    inner join operations as o using (operation_id)
    where f.step is not null
    group by f.event, f.place
    order by f.event, f.place
"""
PROPERTIES: Final = ("a message id", "a correlation id", "a trace id", "a type property", "persistent delivery")

# One row per event type with several publishers, publisher and header: how many messages have it.
HEADERS: Final = """
    with several as (
        select event from flow where step is not null group by event having count(distinct place) > 1
    ), forms as (
        select f.event, f.place, json_keys(o.headers) as names, count(*) as messages
        from flow as f
        semi join several using (event)
        inner join operations as o using (operation_id)
        where f.step is not null and o.headers is not null
        group by f.event, f.place, names
    )
    select event, place, header, cast(sum(messages) as bigint)
    from (select event, place, unnest(names) as header, messages from forms)
    group by event, place, header
"""

# One row per body to read: the first of each publisher of an event type with several.
SAMPLED: Final = f"""
    with several as (
        select event from flow where step is not null group by event having count(distinct place) > 1
    )
    select f.event, f.place, unnest(min(f.operation_id, {SAMPLE}))
    from flow as f
    semi join several using (event)
    inner join operations as o using (operation_id)
    where f.step is not null and o.is_object and not coalesce(o.truncated, false) and coalesce(o.body_size, 0) < 65536
    group by f.event, f.place
    order by all
    limit {MOST}
"""

# One row per event type and consumer: how many receives, and how many of them were settled.
CONSUMERS: Final = f"""
    with received as (
        select r.event, r.place, r.operation_id, o.observed_ns, t.receive_id is not null as settled
        from flow_keys as r
        inner join operations as o using (operation_id)
        left join (select distinct receive_id from settlements) as t on t.receive_id = r.operation_id
        where r.kind = 'receive' and r.event is not null and o.channel_kind <> 'bus'
    ), several as (
        select event from received group by event having count(distinct place) > 1 and bool_or(settled)
    )
    select event, place, count(*) filter (settled), {EVIDENCE}
    from received
    semi join several using (event)
    group by event, place
    order by event, place
"""


@dataclass(slots=True)
class Publisher:
    """What one publisher's messages of an event type carry.

    Attributes:
        has: what -> in how many messages it is.
        of: kind of that (`header`, `field`, '') -> in how many messages it could be.
    """

    place: Place
    evidence: Evidence
    has: Counter[tuple[str, str]] = field(default_factory=Counter)
    of: Counter[str] = field(default_factory=Counter)


def deviations(study: Study, graph: Graph) -> tuple[Deviation, ...]:
    """Find them. Needs the tables of `graph`."""
    found = [*_publishing(study, graph), *_consuming(study, graph)]
    return tuple(
        sorted(found, key=lambda each: (each.name, each.event, each.side, str(each.place), each.sentence, each.names))
    )


def _publishing(study: Study, graph: Graph) -> Iterator[Deviation]:
    publishers: defaultdict[int, dict[int, Publisher]] = defaultdict(dict)
    for event, place, properties, *rest in study.rows(PUBLISHERS):
        known = Publisher(graph.places[place], evidence(rest, "likely"))
        known.of.update({"property": known.evidence.operations, "header": known.evidence.operations})
        known.has.update({("property", name): count for name, count in zip(PROPERTIES, properties, strict=True)})
        publishers[event][place] = known
    for event, place, header, count in study.rows(HEADERS):
        publishers[event][place].has["header", header] += count
    _add_fields(study, publishers)
    for event, all_of_it in publishers.items():
        for place in all_of_it:
            for kind, name, one, others in _left_out(all_of_it, place):
                sentence = (
                    "It left out {0}, which all of the others set."
                    if kind == "property"
                    else f"It left out the {kind} {{0}}, which all of the others set."
                )
                about = graph.events[event]
                yield Deviation(about.ref, about.name, "publisher", one.place, sentence, (name,), others, one.evidence)


def _add_fields(study: Study, publishers: Mapping[int, Mapping[int, Publisher]]) -> None:
    rows = study.rows(SAMPLED)
    bodies = dict(study.some_bodies([row[2] for row in rows])) if rows else {}
    for event, place, operation in rows:
        body = json.loads(bodies.get(operation, "null"))
        if isinstance(body, dict) and len(body) <= LONGEST:
            publishers[event][place].of["field"] += 1
            publishers[event][place].has.update({("field", name): 1 for name in body})


def _left_out(known: Mapping[int, Publisher], place: int) -> Iterable[tuple[str, str, Publisher, int]]:
    """What all messages of all other publishers have, and none of this one's."""
    one = known[place]
    others = [each for key, each in known.items() if key != place]
    for kind, name in sorted(set().union(*(each.has for each in others))):
        mine, theirs = one.of[kind], sum(each.of[kind] for each in others)
        if mine < ENOUGH or theirs < ENOUGH or one.has[kind, name]:
            continue
        if all(each.of[kind] and each.has[kind, name] == each.of[kind] for each in others):
            yield kind, name, one, theirs


def _consuming(study: Study, graph: Graph) -> Iterator[Deviation]:
    consumers: defaultdict[int, list[tuple[int, int, Any]]] = defaultdict(list)
    for event, place, settled, *rest in study.rows(CONSUMERS):
        consumers[event].append((place, settled, evidence(rest, "likely")))
    for event, known in consumers.items():
        for place, settled, shown in known:
            others = [each for each in known if each[0] != place]
            receives = sum(each[2].operations for each in others)
            if settled or shown.operations < ENOUGH or receives < ENOUGH:
                continue
            if all(each[1] for each in others):
                about = graph.events[event]
                yield Deviation(
                    about.ref, about.name, "consumer", graph.places[place],
                    "It never settled one; all others do.", (), receives, shown,
                )  # fmt: skip
