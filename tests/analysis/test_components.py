"""Strongly connected components, against what the definition says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.components import components


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 11), max_size=5)))
def test_components_are_what_reaches_each_other_and_come_after_what_follows_them(after: dict[int, list[int]]) -> None:
    reach = {each: {one for one in after[each] if one in after} for each in after}
    for _ in after:
        reach = {each: known.union(*(reach[one] for one in known)) for each, known in reach.items()}
    found = list(components(after))
    assert sorted(each for known in found for each in known) == sorted(after)
    for place, known in enumerate(found):
        assert all(two in reach[one] for one in known for two in known if one != two)
        done = {each for earlier in found[: place + 1] for each in earlier}
        assert all(one in done for each in known for one in after[each] if one in after)


def test_a_chain_longer_than_any_stack() -> None:
    many = 100_000
    assert len(list(components({each: [each + 1] for each in range(many)}))) == many
