"""The causal graph of a trace, as tables that everything about flows is asked from.

`flow_places` and `flow_events`: one row per place in the code and per event type, by a key. `flow`: one row per operation
that can be in a flow: its place, event, step, the head of its lineage, its depth, what it follows from. `flow_origins`: one
row per head and operation that it goes back to, with the flow that this begins. `arrivals`: one row per receive of a send.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from msgtrace_analysis.findings import Place
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.passes.lineage import position_type, trace_lineage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.passes.lineage import Ints
    from msgtrace_analysis.study import Study

_PLACE = "hash(p.kind, p.service, p.name, p.site)"
_EVENT = "case when m.name is not null then hash(m.system, m.address_kind, m.address, m.name) end"

# One row per place. Keys are hashes of 64 bits: two of a million places have the same once in forty million traces.
PLACES: Final = f"""
    create table flow_places as
    select {_PLACE} as place, any_value(kind) as kind, any_value(service) as service, any_value(name) as name,
        any_value(site) as site
    from places as p
    group by all
"""

# One row per event type.
EVENTS: Final = f"""
    create table flow_events as
    select {_EVENT} as event, any_value(system) as system, any_value(address_kind) as address_kind,
        any_value(address) as address, any_value(name) as name
    from messages as m
    where name is not null
    group by all
"""

# One row per operation that can be in a flow.
KEYS: Final = f"""
    create table flow_keys as
    select o.operation_id, o.kind, {_PLACE} as place, {_EVENT} as event, m.side = 'receive' as arrives
    from operations as o
    inner join places as p using (operation_id)
    left join messages as m using (operation_id)
"""

OPERATIONS: Final = "select operation_id, kind = 'send' as sends, place from flow_keys order by operation_id"
CAUSES: Final = """
    select cause_id, effect_id, cast(case certainty when 'exact' then 0 when 'likely' then 1 else 2 end as tinyint) as rank
    from causes
"""
LINKS: Final = """
    select send_id, receive_id, cast(case certainty when 'exact' then 0 when 'likely' then 1 else 2 end as tinyint) as rank
    from best_links
"""

# One row per operation, joined with what was found of it.
FLOW: Final = """
    create table flow as
    select
        k.operation_id, k.kind, k.place, k.event, l.head, l.depth, l.cause_id, l.rank, l.way_rank, l.because,
        case when k.kind = 'send' and k.event is not null then hash(k.event, k.place, l.because) end as step
    from flow_keys as k
    inner join lineage as l using (operation_id)
"""

# One row per kind of origin: what flow it begins is judged once for all of them.
ORIGIN_KINDS: Final = """
    select distinct k.kind, k.place, k.event
    from lineage_heads as h
    inner join flow_keys as k on k.operation_id = h.origin
    order by all
"""

ORIGINS: Final = """
    create table flow_origins as
    select h.head, h.origin, t.trigger, o.observed_ns
    from lineage_heads as h
    inner join flow_keys as k on k.operation_id = h.origin
    inner join operations as o on o.operation_id = h.origin
    inner join origin_kinds as t on t.kind = k.kind and t.place = k.place and t.event is not distinct from k.event
"""

# One row per receive that is known to have failed, and how. An exception counts for more than the settlement after it.
FAILURES: Final = """
    create table failed as
    with known as (
        select operation_id as receive_id, 0 as rank, 'raised' as how
        from operations
        where kind in ('receive', 'process') and (outcome = 'raised' or error_type is not null)
        union all
        select c.cause_id, 0, 'raised'
        from causes as c
        inner join operations as p on p.operation_id = c.effect_id
        where c.certainty = 'exact' and p.kind = 'process' and (p.outcome = 'raised' or p.error_type is not null)
        union all
        select t.receive_id, 1, s.outcome
        from settlements as t
        inner join operations as s on s.operation_id = t.settle_id
        where s.outcome in ('nack', 'reject', 'requeue')
    )
    select receive_id, min_by(how, (rank, how)) as how from known group by receive_id
"""

# One row per receive that is known to be of a send. Clocks of different machines don't agree well enough for a latency
# below zero to mean anything. A handler's time is that of the call to it.
ARRIVALS: Final = """
    create table arrivals as
    with processed as (
        select c.cause_id as receive_id, max(p.duration_ns) as handling_ns
        from causes as c
        inner join operations as p on p.operation_id = c.effect_id
        where c.certainty = 'exact' and p.kind = 'process'
        group by c.cause_id
    )
    select
        l.send_id, l.receive_id, f.head, f.step, r.place as receiver,
        case l.certainty when 'exact' then 0 when 'likely' then 1 else 2 end as rank,
        case when s.host = o.host then o.monotonic_ns - s.monotonic_ns else o.observed_ns - s.observed_ns end as took_ns,
        coalesce(p.handling_ns, case when o.handler_site is not null then o.duration_ns end) as handling_ns,
        o.consumer_group, coalesce(o.redelivered, false) as again, coalesce(e.how, '') as how,
        coalesce(contains(o.headers, '"x-death"'), false) as dead
    from best_links as l
    inner join flow as f on f.operation_id = l.send_id
    inner join flow_keys as r on r.operation_id = l.receive_id
    inner join operations as s on s.operation_id = l.send_id
    inner join operations as o on o.operation_id = l.receive_id
    left join processed as p on p.receive_id = l.receive_id
    left join failed as e on e.receive_id = l.receive_id
    where f.step is not null
"""


@dataclass(frozen=True, slots=True)
class Event:
    """An event type, as steps name it."""

    ref: str
    name: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """How a flow begins.

    Attributes:
        arrives: the event type that comes in from outside of the trace.
    """

    place: Place
    arrives: Event | None


@dataclass(frozen=True, slots=True)
class Graph:
    """What the keys in the tables stand for.

    Attributes:
        triggers: by their number.
        cut: operations with more possible origins than were followed.
    """

    places: Mapping[int, Place]
    events: Mapping[int, Event]
    triggers: tuple[Trigger, ...]
    cut: int


def build_graph(study: Study) -> Graph:
    """Add the tables. Needs those of `naming` and `place_operations`."""
    for sql in (PLACES, EVENTS, KEYS):
        study.run(sql)
    places = {
        key: Place(*rest) for key, *rest in study.rows("select place, kind, service, name, site from flow_places")
    }
    events = {
        key: Event(ref(*rest), rest[-1])
        for key, *rest in study.rows("select event, system, address_kind, address, name from flow_events")
    }
    cut = _trace(study)
    study.run(FLOW)
    triggers = _triggers(study, places, events)
    for sql in (ORIGINS, FAILURES, ARRIVALS):
        study.run(sql)
    return Graph(places, events, triggers, cut)


def _trace(study: Study) -> int:
    """Add `lineage` and `lineage_heads`."""
    ids, sends, places = _columns(study.table(OPERATIONS))
    causes, effects, ranks = _known(ids, *_columns(study.table(CAUSES)))
    causes, effects, ranks = _best(causes, effects, ranks, len(ids))
    links = _known(ids, *_columns(study.table(LINKS)))
    parents, children, surest = (np.concatenate(pair) for pair in zip((causes, effects, ranks), links, strict=True))
    del links
    found = trace_lineage(sends.astype(np.bool_), parents, children, surest)
    del sends, parents, children, surest
    first = np.ones(len(effects), dtype=np.bool_)
    first[1:] = effects[1:] != effects[:-1]
    cause, rank = np.full(len(ids), -1, dtype=effects.dtype), np.zeros(len(ids), dtype=np.int8)
    cause[effects[first]], rank[effects[first]] = causes[first], ranks[first]
    unknown = cause < 0
    study.keep(
        "lineage",
        pa.table({
            "operation_id": ids,
            "head": ids[found.head],
            "depth": found.depth,
            "cause_id": pa.array(ids[cause] if len(ids) else ids, mask=unknown),
            "because": pa.array(places[cause] if len(ids) else places, mask=unknown),
            "rank": rank,
            "way_rank": found.rank,
        }),
    )  # fmt: skip
    study.keep("lineage_heads", pa.table({"head": ids[found.heads], "origin": ids[found.origins]}))
    return found.cut


def _columns(table: pa.Table) -> list[Any]:
    return [column.to_numpy() for column in table.columns]


def _known(ids: Ints, before: Ints, after: Ints, *more: Ints) -> list[Ints]:
    """Edges as positions among `ids`, without those that touch another operation."""
    if not len(ids):
        return [np.empty(0, dtype=np.int64)] * (2 + len(more))
    kind = position_type(len(ids))
    places = [np.minimum(np.searchsorted(ids, each), len(ids) - 1).astype(kind) for each in (before, after)]
    known = (ids[places[0]] == before) & (ids[places[1]] == after)
    return [each[known] for each in (*places, *more)]


def _best(causes: Ints, effects: Ints, ranks: Ints, many: int) -> tuple[Ints, Ints, Ints]:
    """Of every effect the causes of the best certainty that there is for it, sorted by effect and cause."""
    order = np.sort((effects.astype(np.int64) * 4 + ranks) * max(many, 1) + causes)
    rest, causes = order // max(many, 1), (order % max(many, 1)).astype(causes.dtype)
    effects, ranks = (rest // 4).astype(effects.dtype), (rest % 4).astype(np.int8)
    begins = np.searchsorted(effects, effects)
    best = ranks == ranks[begins] if len(ranks) else np.ones(0, dtype=np.bool_)
    return causes[best], effects[best], ranks[best]


def _triggers(study: Study, places: Mapping[int, Place], events: Mapping[int, Event]) -> tuple[Trigger, ...]:
    """Add `origin_kinds`, which says what flow an operation without a known cause begins."""
    numbers: dict[Trigger, int] = {}
    rows: list[tuple[str, int, int | None, int]] = []
    for kind, place, event in study.rows(ORIGIN_KINDS):
        trigger = trigger_of(kind, places[place], None if event is None else events[event])
        rows.append((kind, place, event, numbers.setdefault(trigger, len(numbers))))
    kinds, known_places, known_events, known_numbers = zip(*rows, strict=True) if rows else ((), (), (), ())
    study.keep(
        "origin_kinds",
        pa.table({
            "kind": pa.array(kinds, pa.string()),
            "place": pa.array(known_places, pa.uint64()),
            "event": pa.array(known_events, pa.uint64()),
            "trigger": pa.array(known_numbers, pa.int64()),
        }),
    )  # fmt: skip
    return tuple(numbers)


def trigger_of(kind: str, place: Place, event: Event | None) -> Trigger:
    """What an operation without a known cause says about how its flow begins."""
    if kind == "receive":
        return Trigger(Place("outside", place.service, place.name, place.site), event)
    if place.kind == "code":
        # Several messages that one function sends are one flow: their lines differ.
        return Trigger(Place("code", place.service, place.name, place.site.rpartition(":")[0]), None)
    return Trigger(place, None)
