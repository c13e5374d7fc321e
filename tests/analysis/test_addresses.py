"""Channels that differ in generated parts only are one address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from msgtrace_analysis.passes.addresses import judge, pattern_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("orders", "orders"),
        ("orders.v2", "orders.v2"),
        ("user:42:inbox", "user:{id}:inbox"),
        ("amq.gen-JzTY20BRgKO-HjmUJj0wLg", "amq.gen-{id}"),
        ("reply.2b99b25c-31d3-4937-ba9f-7d4e0d688012", "reply.{id}"),
        ("session/0123456789abcdef0123", "session/{id}"),
        ("deadbeefdeadbeefs", "deadbeefdeadbeefs"),
        ("facade", "facade"),
    ],
)
def test_what_looks_generated(name: str, pattern: str) -> None:
    assert pattern_of(name) == pattern


def test_two_alike_are_two_and_three_are_a_pattern() -> None:
    two = [("redis", "list", "q:1"), ("redis", "list", "q:2")]
    assert [each.address for each in judge(two)] == ["q:1", "q:2"]
    assert {each.address for each in judge([*two, ("redis", "list", "q:3")])} == {"q:{id}"}
    assert {each.address for each in judge([*two, ("redis", "stream", "q:3")])} == {"q:1", "q:2", "q:3"}


def test_reply_queues_are_one_entry_that_shows_some_of_them(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(8):
        made.send(system="redis", channel=f"reply:{number}", channel_kind="list", body={"n": number})
    found = findings()
    (event,) = found.events
    assert (event.address, event.sends, event.channels) == ("reply:{id}", 8, tuple(f"reply:{n}" for n in range(5)))
    (channel,) = found.topology.channels
    assert (channel.name, channel.alike, channel.sends) == ("reply:{id}", 8, 8)
