"""What a group's members had, change by change."""

from __future__ import annotations

from msgtrace_analysis.passes.rebalances import fold


def change(member: str, generation: int, at_ms: int, action: str, assigned: str = "{}") -> tuple[object, ...]:
    return "kafka", "group", member, generation, at_ms * 1_000_000, "service", action, assigned


def test_a_member_joins_and_goes() -> None:
    folded = fold([
        change("a", 1, 0, "rebalance", '{"t": [0, 1]}'),
        change("a", 1, 10, "revoke"),
        change("a", 2, 30, "rebalance", '{"t": [0]}'),
        change("b", 2, 31, "rebalance", '{"t": [1]}'),
        change("b", 2, 40, "lose"),
        change("a", 2, 45, "revoke"),
        change("a", 3, 50, "rebalance", '{"t": [0, 1]}'),
    ])  # fmt: skip
    assert {number: len(members) for number, members in folded.generations.items()} == {1: 1, 2: 2, 3: 1}
    assert (folded.moved, folded.lost, folded.longest_ns) == (2, 1, 20_000_000)
    assert folded.channels == {"t"}
