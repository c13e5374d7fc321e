"""Finds the same event type on several channels: the same name, and fields that fit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

Key = tuple[str | None, str, str, str]
"""(system, kind of address, address, name)."""
ALWAYS: Final = 0.9
"""The share of sampled bodies that must have a field before the type needs it."""
COMMON: Final = 0.5
"""The share of needed fields that two must have in common."""

# One row per event type that has its name in common with one on another channel: sampled objects, and how many have
# each field. A channel's own name, and an in-process event, is no name of a type elsewhere.
FIELDS: Final = """
    with named as (
        select distinct system, address_kind, address, name
        from messages
        where named_by not in ('channel', 'signal name', 'event name')
        qualify count(*) over (partition by name) > 1
    ), sampled_of as (
        select m.system, m.address_kind, m.address, m.name, s.fields
        from named as n
        inner join messages as m
            on m.system is not distinct from n.system and m.address_kind = n.address_kind and m.address = n.address
            and m.name = n.name
        inner join shapes as s using (operation_id)
    ), counted as (
        select system, address_kind, address, name, field, count(*) as present
        from (select * exclude (fields), unnest(fields) as field from sampled_of)
        group by all
    ), totals as (
        select system, address_kind, address, name, count(*) as objects from sampled_of group by all
    )
    select
        n.system, n.address_kind, n.address, n.name,
        list_sort(list(c.field) filter (c.present >= $1 * t.objects)),
        list_sort(list(c.field) filter (c.field is not null))
    from named as n
    left join totals as t
        on t.system is not distinct from n.system and t.address_kind = n.address_kind and t.address = n.address
        and t.name = n.name
    left join counted as c
        on c.system is not distinct from n.system and c.address_kind = n.address_kind and c.address = n.address
        and c.name = n.name
    group by n.system, n.address_kind, n.address, n.name
    order by n.name, n.system, n.address, n.address_kind
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of a type's bodies: those that it always has, and all; both empty where no body could be read."""

    needed: frozenset[str]
    known: frozenset[str]


def fit(mine: Shape, other: Shape) -> bool:
    """Whether two may be shapes of one type: what each always has, the other knows, or most is common to both."""
    if not mine.known or not other.known:
        return True
    if mine.needed <= other.known and other.needed <= mine.known:
        return True
    both, either = mine.needed & other.needed, mine.needed | other.needed
    return len(both) >= COMMON * len(either)


def same_types(study: Study) -> dict[Key, tuple[Key, ...]]:
    """The event types that are one: for each that is elsewhere too, the others. Needs the tables of `naming`."""
    by_name: defaultdict[str, list[tuple[Key, Shape]]] = defaultdict(list)
    for system, kind, address, name, needed, known in study.rows(FIELDS, [ALWAYS]):
        shape = Shape(frozenset(needed or ()), frozenset(known or ()))
        by_name[name].append(((system, kind, address, name), shape))
    return {
        event: tuple(other for other, theirs in alike if other != event and fit(shape, theirs))
        for alike in by_name.values()
        for event, shape in alike
    }
