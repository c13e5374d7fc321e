"""Where an operation comes from: every origin, the shortest way, circles and crowds included."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.lineage import MAX_ORIGINS, trace_lineage


def test_a_chain_has_one_origin_and_counts_sends_only() -> None:
    found = trace_lineage({1: False, 2: True, 3: False, 4: True}, [(1, 2), (2, 3), (3, 4)])
    assert {each: set(origins) for each, origins in found.origins.items()} == {1: {1}, 2: {1}, 3: {1}, 4: {1}}
    assert dict(found.depth) == {1: 0, 2: 1, 3: 1, 4: 2}


def test_candidates_give_several_origins_and_the_shortest_way_counts() -> None:
    found = trace_lineage({1: False, 2: False, 3: True, 4: True}, [(1, 3), (3, 4), (2, 4)])
    assert found.origins[4] == {1, 2}
    assert found.depth[4] == 1


def test_a_circle_is_opened_at_its_first() -> None:
    found = trace_lineage({1: True, 2: True, 3: True}, [(1, 2), (2, 3), (3, 1)])
    assert {each: set(origins) for each, origins in found.origins.items()} == {1: {1}, 2: {1}, 3: {1}}


def test_an_operation_that_is_not_there_and_itself_are_no_parents() -> None:
    assert trace_lineage({1: True}, [(9, 1), (1, 1)]).origins[1] == {1}


def test_a_crowd_of_origins_is_cut_and_counted() -> None:
    crowd = range(1, MAX_ORIGINS + 10)
    operations = {**dict.fromkeys(crowd, False), 1000: True}
    found = trace_lineage(operations, [(each, 1000) for each in crowd])
    assert found.origins[1000] == set(list(crowd)[:MAX_ORIGINS])
    assert found.cut == 1


@given(st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12))))
def test_any_graph_gives_everything_an_origin_whatever_the_order(edges: set[tuple[int, int]]) -> None:
    operations = {each: each % 2 == 0 for each in range(13)}
    found = trace_lineage(operations, sorted(edges))
    again = trace_lineage(operations, sorted(edges, reverse=True))
    assert found.origins == again.origins
    assert set(found.origins) == set(operations)
    assert all(found.origins[origin] == {origin} for origins in found.origins.values() for origin in origins)
