"""Follows causes and links through a graph of operations, from what started something to all that came of it. Pure."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_ORIGINS: Final = 64
"""An operation with more possible origins than this is counted for the first of them only."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where every operation comes from.

    Attributes:
        origins: operation -> the operations without a known cause that it follows from, itself if it has none.
        depth: operation -> messages sent on the shortest way from an origin, its own included.
        cut: operations whose origins are more than are kept.
    """

    origins: Mapping[int, frozenset[int]]
    depth: Mapping[int, int]
    cut: int


def trace_lineage(operations: Mapping[int, bool], edges: Iterable[tuple[int, int]]) -> Lineage:
    """Find every operation's origins.

    Guessed causes can make a circle: it is opened at its operation of the lowest id.

    Args:
        operations: id -> whether it sends a message.
        edges: (parent, child); those that touch an unknown operation are ignored.
    """
    children: dict[int, list[int]] = {}
    waiting: dict[int, int] = {}
    parents: dict[int, list[int]] = {}
    for parent, child in edges:
        if parent in operations and child in operations and parent != child:
            children.setdefault(parent, []).append(child)
            parents.setdefault(child, []).append(parent)
            waiting[child] = waiting.get(child, 0) + 1
    origins: dict[int, frozenset[int]] = {}
    depth: dict[int, int] = {}
    cut = 0
    for start in _starts(operations, waiting):
        ready = [start]
        while ready:
            each = heapq.heappop(ready)
            if each in origins:
                continue
            known = [parent for parent in parents.get(each, ()) if parent in origins]
            origins[each], more = _together([origins[parent] for parent in known], each)
            cut += more
            depth[each] = min((depth[parent] for parent in known), default=0) + operations[each]
            for child in children.get(each, ()):
                waiting[child] -= 1
                if waiting[child] == 0:
                    heapq.heappush(ready, child)
    return Lineage(origins, depth, cut)


def _starts(operations: Mapping[int, bool], waiting: Mapping[int, int]) -> Iterable[int]:
    """What has no parent, then what is left in circles, by id."""
    first = sorted(each for each in operations if each not in waiting)
    yield from first
    yield from sorted(each for each, left in waiting.items() if left > 0)


def _together(sets: Sequence[frozenset[int]], own: int) -> tuple[frozenset[int], bool]:
    if not sets:
        return frozenset((own,)), False
    if len(sets) == 1:
        return sets[0], False
    union = frozenset().union(*sets)
    if len(union) <= MAX_ORIGINS:
        return next((each for each in sets if each == union), union), False
    return frozenset(sorted(union)[:MAX_ORIGINS]), True
