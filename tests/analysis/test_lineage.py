"""Where an operation comes from: every origin, the shortest way, circles and crowds included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace_analysis.passes.lineage import MAX_ORIGINS, Lineage, trace_lineage

if TYPE_CHECKING:
    import random

Edges = list[tuple[int, int]]
GRAPHS = st.integers(1, 14).flatmap(
    lambda many: st.tuples(
        st.lists(st.booleans(), min_size=many, max_size=many),
        st.lists(st.tuples(st.integers(0, many - 1), st.integers(0, many - 1)), max_size=30),
    )
)


def traced(sends: list[bool], edges: Edges) -> Lineage:
    parents = np.array([each for each, _ in edges], dtype=np.int64)
    children = np.array([each for _, each in edges], dtype=np.int64)
    ranks = np.array([(each * 7 + other) % 3 for each, other in edges], dtype=np.int64)
    return trace_lineage(np.array(sends, dtype=np.bool_), parents, children, ranks)


def origins(found: Lineage) -> list[set[int]]:
    of_head: dict[int, set[int]] = {}
    for head, origin in zip(found.heads.tolist(), found.origins.tolist(), strict=True):
        of_head.setdefault(head, set()).add(origin)
    return [of_head[head] for head in found.head.tolist()]


def test_a_chain_has_one_origin_and_counts_sends_only() -> None:
    found = traced([False, True, False, True], [(0, 1), (1, 2), (2, 3)])
    assert origins(found) == [{0}] * 4
    assert found.depth.tolist() == [0, 1, 1, 2]


def test_candidates_give_several_origins_and_the_shortest_way_counts() -> None:
    found = traced([False, False, True, True], [(0, 2), (2, 3), (1, 3)])
    assert origins(found)[3] == {0, 1}
    assert found.depth[3] == 1


def test_a_circle_is_opened_at_its_first() -> None:
    assert origins(traced([True] * 3, [(0, 1), (1, 2), (2, 0)])) == [{0}] * 3


def test_what_hangs_below_a_circle_is_not_where_it_is_opened() -> None:
    assert origins(traced([True] * 4, [(1, 2), (2, 3), (3, 1), (3, 0)])) == [{1}] * 4
    assert origins(traced([True] * 4, [(1, 2), (2, 1), (3, 2), (2, 0), (1, 0)])) == [{3}] * 4


def test_an_operation_is_not_its_own_parent_and_an_edge_counts_once() -> None:
    assert origins(traced([True, True], [(1, 1), (0, 1), (0, 1)])) == [{0}, {0}]


@pytest.mark.parametrize("below", [0, 1])
def test_a_crowd_of_origins_is_cut_and_counted(below: int) -> None:
    crowd = MAX_ORIGINS + 10
    sends = [False] * crowd + [True] * (1 + below)
    edges = [(each, crowd) for each in range(crowd)] + [(each, crowd + 1) for each in (crowd, 0)] * below
    found = traced(sends, edges)
    assert origins(found)[crowd] == set(range(MAX_ORIGINS))
    assert found.cut == 1


def test_a_long_chain_and_a_long_chain_of_choices() -> None:
    many = 30_000
    chain = [(each, each + 1) for each in range(many - 1)]
    assert traced([True] * many, chain).depth.tolist() == list(range(1, many + 1))
    found = traced([True] * many, chain + [(each, each + 2) for each in range(many - 2)])
    assert found.depth[-1] == many // 2 + 1
    assert set(found.origins.tolist()) == {0}


def by_hand(sends: list[bool], edges: Edges) -> tuple[list[set[int]], list[int], list[int]]:
    """Origins and depths as they are defined: by closures, far too slow for more than a few."""
    many = range(len(sends))
    parents = [{a for a, b in edges if b == each and a != each} for each in many]
    above = [set(each) for each in parents]
    for _ in many:
        above = [each.union(*(above[one] for one in each)) for each in above]
    circle = [{one for one in above[each] if each in above[one]} | {each} for each in many]
    # A circle that nothing leads into begins at its lowest, of several causes if there is one; so does an operation without
    # a parent.
    begins = {
        min([one for one in circle[each] if len(parents[one]) > 1] or circle[each])
        for each in many
        if above[each] <= circle[each]
    }
    found = [{one for one in above[each] | {each} if one in begins} for each in many]
    depths = [int(sends[each]) if each in begins else 10**9 for each in many]
    for _ in many:
        for each in many:
            if each not in begins:
                depths[each] = min([depths[each], *(depths[one] + sends[each] for one in parents[each])])
    return found, depths, [worst(each, begins, edges) for each in many]


def worst(operation: int, begins: set[int], edges: Edges) -> int:
    """The highest rank of what leads to an operation from where that begins."""
    ways, ready, rank = {operation}, [operation], 0
    while ready:
        each = ready.pop()
        for parent, child in edges:
            if child == each and parent != each and each not in begins:
                rank = max(rank, (parent * 7 + child) % 3)
                if parent not in ways:
                    ways.add(parent)
                    ready.append(parent)
    return rank


@settings(max_examples=1500)
@given(GRAPHS)
def test_any_graph_gives_what_the_definition_says(graph: tuple[list[bool], Edges]) -> None:
    found = traced(*graph)
    wanted, depths, ranks = by_hand(*graph)
    assert len(found.head) == len(graph[0])
    assert origins(found) == wanted
    assert found.depth.tolist() == depths
    assert all(rank >= least for rank, least in zip(found.rank.tolist(), ranks, strict=True))
    assert max(found.rank, default=0) <= max(((a * 7 + b) % 3 for a, b in graph[1] if a != b), default=0)


@given(GRAPHS, st.randoms())
def test_the_order_of_edges_does_not_matter(graph: tuple[list[bool], Edges], mixer: random.Random) -> None:
    sends, edges = graph
    mixed = edges[:]
    mixer.shuffle(mixed)
    first, second = traced(sends, edges), traced(sends, mixed)
    assert origins(first) == origins(second)
    assert first.depth.tolist() == second.depth.tolist()
    assert first.rank.tolist() == second.rank.tolist()
