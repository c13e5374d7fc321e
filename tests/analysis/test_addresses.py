"""Channels that differ in generated parts only are one address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.passes.addresses import judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def test_two_alike_are_two_and_three_are_a_pattern() -> None:
    two = [("redis", "list", "q:1"), ("redis", "list", "q:2")]
    assert [each.address for each in judge(two)[0]] == ["q:1", "q:2"]
    assert {each.address for each in judge([*two, ("redis", "list", "q:3")])[0]} == {"q:{q_id}"}
    assert {each.address for each in judge([*two, ("redis", "stream", "q:3")])[0]} == {"q:1", "q:2", "q:3"}


def test_reply_queues_are_one_entry_that_shows_some_of_them(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(8):
        made.send(system="redis", channel=f"reply:{number}", channel_kind="list", body={"n": number})
    found = findings()
    (event,) = found.events
    assert (event.address, event.sends, event.channels) == (
        "reply:{reply_id}",
        8,
        tuple(f"reply:{n}" for n in range(5)),
    )
    (channel,) = found.topology.channels
    assert (channel.name, channel.alike, channel.sends) == ("reply:{reply_id}", 8, 8)
