"""Which field says what a message is: judged on systems whose types are known, whatever the field is called."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.discriminators import Candidate, Sample, best, dependence, few, squashed

Messages = list[tuple[Any, dict[str, Any], str | None]]
WORDS = [
    f"{first}_{second}"
    for first in ("order", "user", "cart", "price", "stock", "unit", "line", "batch", "route", "parcel")
    for second in ("no", "total", "count", "label", "owner", "ref", "mode", "size", "note")
]


def sample_of(messages: Messages) -> Sample:
    sample = Sample()
    for body, headers, key in messages:
        sample.add(body, headers, key)
    return sample


def found(messages: Messages) -> tuple[str, str] | None:
    chosen = best(sample_of(messages))
    return None if chosen is None else (chosen.candidate.where, chosen.candidate.label)


def types(seed: int, many: int) -> list[tuple[str, list[str], list[str]]]:
    """Types with their name, required and optional fields, as systems have them."""
    chance = random.Random(seed)
    verbs = chance.sample(["placed", "paid", "shipped", "created", "closed", "moved", "expired", "sent"], many)
    made = []
    for verb in verbs:
        fields = chance.sample(WORDS, 8)
        made.append((f"order.{verb}", fields[:5], fields[5:]))
    return made


def body_of(chance: random.Random, required: list[str], optional: list[str]) -> dict[str, Any]:
    return {
        **{name: chance.randrange(100) for name in required},
        **{name: "x" for name in optional if chance.random() < 0.5},
        "status": chance.choice(["open", "paid", "closed"]),
        "country": chance.choice(["de", "at", "ch", "fr"]),
    }


@pytest.mark.parametrize("name", ["event_type", "type", "k", "what", "action"])
@pytest.mark.parametrize("seed", range(12))
def test_a_field_is_found_whatever_it_is_called(name: str, seed: int) -> None:
    chance = random.Random(seed)
    known = types(seed, 2 + seed % 5)
    messages: Messages = []
    for _ in range(60 * len(known)):
        event, required, optional = chance.choice(known)
        messages.append(({name: event, **body_of(chance, required, optional)}, {}, None))
    assert found(messages) == ("field", name)


@pytest.mark.parametrize("seed", range(12))
def test_a_header_is_found_whatever_it_is_called(seed: int) -> None:
    chance = random.Random(seed)
    known = types(seed, 2 + seed % 5)
    messages: Messages = []
    for _ in range(60 * len(known)):
        event, required, optional = chance.choice(known)
        messages.append((body_of(chance, required, optional), {"x-what": event, "tenant": chance.choice("ab")}, None))
    assert found(messages) == ("header", "x-what")


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("decoy", ["status", "country", "category", "type", "kind", "name", "tier"])
def test_a_field_that_shapes_do_not_go_with_is_none(decoy: str, seed: int) -> None:
    chance = random.Random(seed)
    ((_, required, optional),) = types(seed, 1)
    messages: Messages = [
        ({**body_of(chance, required, optional), decoy: chance.choice(["gold", "silver", "iron"])}, {}, None)
        for _ in range(100)
    ]
    assert found(messages) is None


def test_a_kind_of_payment_inside_of_the_body_is_no_type_of_message() -> None:
    chance = random.Random(1)
    kinds = {"card": {"number": 1, "expiry": 2}, "iban": {"iban": 3, "bic": 4}}
    messages: Messages = []
    for _ in range(100):
        kind = chance.choice(list(kinds))
        messages.append(({"id": 1, "total": 2, "payment": {"type": kind, **kinds[kind]}}, {}, None))
    assert found(messages) is None


def test_a_telling_name_is_not_outdone_by_one_that_divides_further() -> None:
    chance = random.Random(1)
    messages: Messages = []
    for _ in range(200):
        if chance.random() < 0.5:
            messages.append(({"eventType": "order.placed", "id": 1, "sub": "none"}, {}, None))
        else:
            sub = chance.choice(["card", "iban"])
            messages.append(({"eventType": "order.paid", "sub": sub, f"{sub}_a": 1, f"{sub}_b": 1}, {}, None))
    assert found(messages) == ("field", "eventType")


def test_the_type_may_stand_in_an_envelope() -> None:
    chance = random.Random(1)
    messages: Messages = []
    for _ in range(100):
        kind = chance.choice(["placed", "shipped"])
        data = {"placed": {"total": 1, "lines": []}, "shipped": {"parcel": 1}}[kind]
        messages.append(({"meta": {"kind": kind, "at": "2024-01-01"}, "data": data}, {}, None))
    assert found(messages) == ("field", "meta.kind")


def test_routing_keys_that_tell_as_much_are_left_to_name() -> None:
    chance = random.Random(1)
    messages: Messages = []
    for _ in range(100):
        kind = chance.choice("ab")
        fields = {"a": {"x": 1, "y": 1, "z": 1}, "b": {"p": 1, "q": 1}}[kind]
        messages.append(({"quirk": f"quirk-{kind}", **fields}, {}, f"thing.{kind}"))
    assert found(messages) is None
    assert found([(body, {}, None) for body, _, _ in messages]) == ("field", "quirk")


def test_routing_keys_that_say_nothing_are_outdone_by_a_field_that_does() -> None:
    messages: Messages = []
    for number in range(60):
        event, key, fields = (
            ("order.placed", "all.stuff", {"x": 1, "y": 1, "z": 1}),
            ("order.closed", "stuff", {"p": 1, "q": 1}),
        )[number % 2]
        messages.append(({"quirk": event, **fields}, {}, key))
    assert found(messages) == ("field", "quirk")


@given(
    st.lists(
        st.tuples(
            st.recursive(
                st.none() | st.integers() | st.text(),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=5),
            ),
            st.dictionaries(st.text(), st.text() | st.lists(st.text(), max_size=2), max_size=4),
            st.none() | st.text(),
        ),
        max_size=30,
    )
)
def test_any_messages_can_be_judged_in_any_order(messages: Messages) -> None:
    forth, back = best(sample_of(messages)), best(sample_of(messages[::-1]))
    assert (forth and forth.candidate) == (back and back.candidate)


def test_what_is_explained_lies_between_nothing_and_everything() -> None:
    sample = sample_of([({"a": 1} if number % 2 else {"b": 1}, {}, None) for number in range(100)])
    whole = dependence({number: "odd" if number % 2 else "even" for number in range(100)}, sample)
    none = dependence({number: "x" if number % 4 < 2 else "y" for number in range(100)}, sample)
    assert whole.explained > 0.95
    assert (whole.apart, whole.distance) == (1.0, 1.0)
    assert (none.explained, none.apart) == (0.0, 0.0)


def test_pointers_are_escaped_and_names_squashed() -> None:
    assert Candidate("field", ("a/b", "~c")).pointer == "/a~1b/~0c"
    assert [squashed(name) for name in ("X-Event-Type", "event_type", "xenon")] == ["eventtype", "eventtype", "xenon"]


@pytest.mark.parametrize(
    ("values", "messages", "fits"), [(1, 1, True), (5, 9, True), (5, 10, True), (6, 10, False), (51, 999, False)]
)
def test_few(values: int, messages: int, fits: bool) -> None:
    assert few(values, messages) is fits
