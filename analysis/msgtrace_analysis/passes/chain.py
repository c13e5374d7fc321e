"""Everything about one message: the operations that an id names, what they follow from, and what followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAX_OPERATIONS: Final = 500
MAX_HOPS: Final = 100

# One row per operation that an id names.
NAMED: Final = f"""
    select operation_id
    from operations
    where operation_id = try_cast($1 as bigint) or $1 in (message_id, correlation_id, identity, trace_id)
    order by operation_id
    limit {MAX_OPERATIONS + 1}
"""

# One row per operation that comes before or after the named ones, and those themselves; the nearest first. What a
# settlement belongs to is what it settles.
RELATED: Final = f"""
    with recursive steps as materialized (
        select cause_id as before_id, effect_id as after_id
        from causes
        anti join settlements on settle_id = effect_id
        union
        select send_id, receive_id from links
        union
        select receive_id, settle_id from settlements
    ), named as (
        select unnest($1::bigint[]) as operation_id
    ), down(operation_id, hops) as (
        select operation_id, 0 from named
        union
        select s.after_id, d.hops + 1
        from down as d
        inner join steps as s on s.before_id = d.operation_id
        where d.hops < {MAX_HOPS}
    ), up(operation_id, hops) as (
        select operation_id, 0 from named
        union
        select s.before_id, u.hops + 1
        from up as u
        inner join steps as s on s.after_id = u.operation_id
        where u.hops < {MAX_HOPS}
    )
    select operation_id, min(hops) as hops
    from (from down union all from up)
    group by operation_id
    order by hops, operation_id
    limit {MAX_OPERATIONS + 1}
"""

# One row per operation, with what is said of it in a line.
OPERATIONS: Final = """
    select
        operation_id, epoch_ns(observed_at), coalesce(service, ''), kind, system, channel, routing_key, event_type,
        message_id, correlation_id, body_size, outcome, error_type, error_message, coalesce(handler_site, code_site),
        duration_ns
    from operations
    where operation_id in (select unnest($1::bigint[]))
    order by observed_at, operation_id
"""

# One row per pair of them and how they belong together.
STEPS: Final = """
    with chosen as (select unnest($1::bigint[]) as id)
    select send_id, receive_id, 'received', certainty, method from links
    where send_id in (from chosen) and receive_id in (from chosen)
    union all
    select cause_id, effect_id, 'caused', certainty, method from causes
    anti join settlements on settle_id = effect_id
    where cause_id in (from chosen) and effect_id in (from chosen)
    union all
    select receive_id, settle_id, 'settled', 'exact', '' from settlements
    where receive_id in (from chosen) and settle_id in (from chosen)
    order by all
"""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as a chain shows it."""

    operation_id: int
    observed_ns: int | None
    service: str
    kind: str | None
    system: str | None
    channel: str | None
    routing_key: str | None
    event_type: str | None
    message_id: str | None
    correlation_id: str | None
    body_size: int | None
    outcome: str | None
    error_type: str | None
    error_message: str | None
    site: str | None
    duration_ns: int | None


@dataclass(frozen=True, slots=True)
class Bond:
    """How a later operation belongs to an earlier one: `received` (the same message), `caused`, `settled`."""

    before: int
    after: int
    how: str
    certainty: str
    method: str


@dataclass(frozen=True, slots=True)
class Line:
    """An operation's place in the tree.

    Attributes:
        bond: to the operation that it stands under; None at the top.
        others: bonds to further operations before it, which it does not stand under.
    """

    operation: Operation
    depth: int
    bond: Bond | None
    others: tuple[Bond, ...]


def tree(operations: Iterable[Operation], bonds: Iterable[Bond]) -> Iterator[Line]:
    """Order operations as a tree: each once, in time order, under the earliest operation that it belongs to.

    Messaging is a graph: what an operation belongs to besides is told beside it.
    """
    known = {each.operation_id: each for each in operations}
    position = {each: place for place, each in enumerate(known)}
    above: dict[int, list[Bond]] = {}
    for bond in bonds:
        above.setdefault(bond.after, []).append(bond)
    parent: dict[int, Bond] = {}
    for each in known:
        choices = [bond for bond in above.get(each, ()) if not _leads_up(parent, bond.before, each)]
        if choices:
            parent[each] = min(choices, key=lambda bond: (_RANK.get(bond.how, 9), position[bond.before]))
    below: dict[int, list[int]] = {}
    for each, bond in parent.items():
        below.setdefault(bond.before, []).append(each)
    stack = [(each, 0) for each in reversed(known) if each not in parent]
    while stack:
        each, depth = stack.pop()
        chosen = parent.get(each)
        others = tuple(bond for bond in above.get(each, ()) if chosen is None or bond.before != chosen.before)
        yield Line(known[each], depth, chosen, others)
        stack += [(child, depth + 1) for child in sorted(below.get(each, ()), key=position.__getitem__, reverse=True)]


_RANK: Final = {"received": 0, "settled": 1, "caused": 2}


def _leads_up(parent: Mapping[int, Bond], start: int, goal: int) -> bool:
    """Whether `goal` stands above `start`: guessed causes can go round in circles."""
    each: int | None = start
    while each is not None:
        if each == goal:
            return True
        each = parent[each].before if each in parent else None
    return False


def operations_of(rows: Iterable[Sequence[Any]]) -> list[Operation]:
    """Read `OPERATIONS`."""
    return [Operation(*row) for row in rows]
