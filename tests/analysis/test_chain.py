"""The tree of everything about one message: each operation once, under the nearest that it belongs to."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.chain import Bond, Operation, tree


def operation(number: int) -> Operation:
    known: dict[str, Any] = dict.fromkeys(Operation.__slots__)
    return Operation(**known | {"operation_id": number, "observed_ns": number, "service": ""})


def drawn(numbers: range, bonds: list[Bond]) -> list[tuple[int, int, list[int]]]:
    lines = tree([operation(number) for number in numbers], bonds)
    return [(line.operation.operation_id, line.depth, [each.before for each in line.others]) for line in lines]


def bond(before: int, after: int, how: str = "caused") -> Bond:
    return Bond(before, after, how, "exact", "")


def test_a_tree_in_time_order() -> None:
    bonds = [bond(1, 2), bond(2, 3, "received"), bond(2, 4, "received"), bond(3, 6), bond(4, 5, "settled")]
    assert drawn(range(1, 7), bonds) == [(1, 0, []), (2, 1, []), (3, 2, []), (6, 3, []), (4, 2, []), (5, 3, [])]


def test_what_belongs_to_several_stands_once_and_tells_the_others() -> None:
    assert drawn(range(1, 4), [bond(1, 3), bond(2, 3)]) == [(1, 0, []), (3, 1, [2]), (2, 0, [])]
    assert drawn(range(1, 4), [bond(1, 3), bond(2, 3, "received")]) == [(1, 0, []), (2, 0, []), (3, 1, [1])]


def test_a_circle_is_opened() -> None:
    assert drawn(range(1, 3), [bond(1, 2), bond(2, 1)]) == [(2, 0, [1]), (1, 1, [])]


@given(
    st.lists(st.builds(bond, st.integers(0, 9), st.integers(0, 9), st.sampled_from(["caused", "received", "settled"])))
)
def test_any_bonds_show_everything_once(bonds: list[Bond]) -> None:
    assert sorted(number for number, _, _ in drawn(range(10), bonds)) == list(range(10))
