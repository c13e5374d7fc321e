"""Circles in a graph: which nodes can be reached from themselves. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def components(after: Mapping[int, Iterable[int]]) -> Iterator[tuple[int, ...]]:
    """Strongly connected components, each sorted; what comes after a component is yielded before it.

    Tarjan's algorithm (SIAM J. Comput. 1972) with a stack of its own: a chain may be a million long.

    Args:
        after: node -> nodes that follow it; nodes that are no key are left out.
    """
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    standing: set[int] = set()
    for start in after:
        if start in number:
            continue
        work = [(start, iter(after[start]))]
        number[start] = low[start] = len(number)
        stack.append(start)
        standing.add(start)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in after:
                    continue
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    standing.add(other)
                    work.append((other, iter(after[other])))
                    break
                if other in standing:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    yield _taken(stack, node, standing)


def _taken(stack: list[int], node: int, standing: set[int]) -> tuple[int, ...]:
    place = len(stack) - 1
    while stack[place] != node:
        place -= 1
    found = tuple(sorted(stack[place:]))
    del stack[place:]
    standing.difference_update(found)
    return found
