"""The rules of exchanges; integration/test_routing_rules.py holds them against a real RabbitMQ."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.routing import Bound, Exchange, Patterns, Router, headers_match, kind_of, topic_matches

WORDS = st.sampled_from(["a", "b", "", "order", "*", "#", "x-y"])
KEYS = st.lists(WORDS, max_size=6).map(".".join)


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("order.*", "order.placed", True), ("order.*", "order", False), ("order.*", "order.eu.placed", False),
        ("order.#", "order", True), ("order.#", "order.eu.placed", True), ("#", "", True), ("*", "", False),
        ("", "", True), ("*.*", ".", True), ("#.placed", "placed", True), ("#.eu.#", "a.eu.b.c", True),
        ("#.a.#.b", "a.a.b.a", False), ("order.*", "order.", True), ("order", "Order", False),
    ],
)  # fmt: skip
def test_topics(pattern: str, key: str, matches: bool) -> None:
    assert topic_matches(pattern, key) is matches


def by_definition(pattern: list[str], key: list[str]) -> bool:
    """The words of the specification, slowly."""
    if not pattern:
        return not key
    if pattern[0] == "#":
        return any(by_definition(pattern[1:], key[skipped:]) for skipped in range(len(key) + 1))
    return bool(key) and pattern[0] in {"*", key[0]} and by_definition(pattern[1:], key[1:])


@given(st.lists(KEYS, max_size=8), KEYS)
def test_patterns_together_match_as_each_by_definition(patterns: list[str], key: str) -> None:
    known = Patterns()
    for number, pattern in enumerate(patterns):
        known.add(pattern, number)
    split = [re.split(r"\.", each) if each else [] for each in patterns]
    words = re.split(r"\.", key) if key else []
    assert sorted(known.matching(key)) == [n for n, each in enumerate(split) if by_definition(each, words)]


def test_a_long_key_and_many_hashes_take_no_time() -> None:
    assert not topic_matches(".".join(["#", "a"] * 60), ".".join(["a"] * 59))
    assert topic_matches(".".join(["#", "a"] * 60), ".".join(["a"] * 127))


@pytest.mark.parametrize(
    ("arguments", "headers", "matches"),
    [
        ({}, {}, True), ({"x-match": "any"}, {"a": 1}, False), ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"x-match": "any", "a": 1, "b": 2}, {"a": 1}, True), ({"a": None}, {"a": "anything"}, True),
        ({"a": None}, {}, False), ({"a": 1}, {"a": "1"}, False), ({"a": 1}, {"a": True}, False), ({"a": 1}, {"a": 1.0}, False),
        ({"x-a": 1}, {}, True), ({"x-match": "all-with-x", "x-a": 1}, {}, False),
        ({"x-match": "any-with-x", "x-a": 1}, {"x-a": 1}, True), ({"x-match": "any", "x-a": 1}, {"x-a": 1}, False),
    ],
)  # fmt: skip
def test_headers(arguments: dict[str, Any], headers: dict[str, Any], matches: bool) -> None:
    assert headers_match(arguments, headers) is matches


def router(*bindings: Bound, **alternates: str) -> Router:
    types = {"d": "direct", "f": "fanout", "t": "topic", "h": "headers", "odd": "x-consistent-hash"}
    exchanges = [Exchange(name, kind, alternates.get(name)) for name, kind in types.items()]
    return Router(exchanges, bindings, ("q", "lonely"))


def test_every_exchange_by_its_rule() -> None:
    known = router(
        Bound("d", "q", key="k"), Bound("f", "q"), Bound("t", "q", key="k.*"), Bound("h", "q", arguments={"a": 1})
    )
    assert known.route("d", "k").bindings == {0}
    assert not known.route("d", "other").queues
    assert known.route("f", "any").bindings == {1}
    assert known.route("t", "k.x").bindings == {2}
    assert known.route("h", "", {"a": 1}).bindings == {3}
    assert known.route("", "lonely").queues == {"lonely"}
    assert not known.route("", "absent").queues


def test_what_is_not_known_is_not_guessed() -> None:
    assert router().route("odd", "k").unknown == {"odd"}
    assert router().route("absent", "k").unknown == {"absent"}
    assert kind_of("x-delayed-message", {"x-delayed-type": "topic"}) == "topic"


def test_exchanges_lead_to_exchanges_also_in_a_circle() -> None:
    known = router(Bound("d", "t", True, "k"), Bound("t", "d", True, "#"), Bound("t", "q", key="k"))
    assert known.route("d", "k").queues == {"q"}


def test_an_alternate_exchange_gets_what_goes_nowhere() -> None:
    known = router(Bound("d", "q", key="k"), Bound("f", "rest"), Bound("t", "d", True, "sent"), d="f", t="f")
    assert known.route("d", "k").queues == {"q"}
    assert known.route("d", "other").queues == {"rest"}
    assert known.route("t", "sent").queues == {"rest"}
    assert known.route("t", "none").bindings == {1}


def test_copies_are_routed_by_their_own_keys() -> None:
    known = router(Bound("d", "q", key="k"), Bound("d", "p", key="l"))
    assert known.route("d", "none", {"CC": ["k"], "BCC": ["l"]}).queues == {"p", "q"}
