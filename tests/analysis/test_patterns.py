"""Names that differ in ids only are one template, and words stay words."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.patterns import Parameter, fitted, templates


def only(names: list[str]) -> tuple[str, tuple[Parameter, ...]]:
    (template,) = set(templates(names).values())
    return template.text, template.parameters


@pytest.mark.parametrize(
    ("names", "template", "types"),
    [
        ([f"user.{n}.inbox" for n in range(4)], "user.{user_id}.inbox", ["integer"]),
        ([f"replies/{uuid.UUID(int=n << 80)}" for n in range(4)], "replies/{reply_id}", ["uuid"]),
        ([f"amq.gen-JzTY20BRgKO-HjmUJj0wL{n}" for n in range(4)], "amq.gen-{id}", ["token"]),
        ([f"amq_0123456789abcdef0123456789abcde{n}" for n in range(4)], "amq_{id}", ["hex"]),
        # What nobody named is called otherwise the next time, so one of it is enough.
        (["amq.gen-JzTY20BRgKO-HjmUJj0wLg"], "amq.gen-{id}", ["token"]),
        (
            ["amq.rabbitmq.reply-to.g1h2AA5yZXBseUA0MzI0NTMwMAAAAxwA==.3qczgQw416X4+dYOR/aNuA=="],
            "amq.rabbitmq.reply-to.{id}",
            ["token"],
        ),
        ([f"log-2024-01-0{n}" for n in range(1, 5)], "log-{date}", ["date"]),
        ([f"session:9f8e7d6c5b4a{n:04x}" for n in range(4)], "session:{session_id}", ["hex"]),
        ([f"t/{n}/users/{n * 7}" for n in range(4)], "t/{t_id}/users/{user_id}", ["integer", "integer"]),
        ([f"42{n}.inbox" for n in range(4)], "{inbox_id}.inbox", ["integer"]),
        ([f"room:{n}:{n}" for n in range(4)], "room:{room_id}:{id}", ["integer", "integer"]),
        (["s/V1StGXR8Z5jdHi6BmyT", "s/x9K2mPq7Lw4Zt8", "s/01ARZ3NDEKTSV4RRFFQ69G5FAV"], "s/{s_id}", ["token"]),
        ([f"chat.{chr(97 + n // 26)}x{chr(97 + n % 26)}.typing" for n in range(60)], "chat.{chat_id}.typing", ["word"]),
    ],
)
def test_ids_are_folded_and_named_from_their_neighbours(names: list[str], template: str, types: list[str]) -> None:
    text, parameters = only(names)
    assert text == template
    assert [each.type for each in parameters] == types
    assert "{" + parameters[0].name + "}" in text


@pytest.mark.parametrize(
    "names",
    [
        ["orders.eu", "orders.us", "orders.asia", "orders.uk"],
        ["orders.v1", "orders.v2", "orders.v3"],
        ["orders-v1", "orders-v2", "orders-v10"],
        ["orders", "payments", "facade", "deadbeefs", "newsfeed"],
        ["order.placed", "order.paid", "order.shipped", "order.cancelled"],
        ["user.1", "user.2"],
        ["notification_service", "authentication_service2", "OrderConfirmationV2", "processing_jobs_v2"],
    ],
)
def test_words_and_versions_and_two_of_a_kind_stay(names: list[str]) -> None:
    assert templates(names) == {}


def test_many_different_things_in_one_place_are_ids_only_where_nothing_else_differs() -> None:
    names = [f"event{chr(97 + n)}.{verb}" for n in range(20) for verb in ("created", "deleted")]
    assert templates(names) == {}


@given(st.lists(st.text(max_size=40), unique=True, max_size=30))
def test_a_name_has_the_form_of_its_template(names: list[str]) -> None:
    found = templates(names, alike=2, many=3)
    for name, template in found.items():
        parts = re.split(r"\{[a-z0-9_]+\}", template.text)
        assert len(template.parameters) >= 1
        position = 0
        for part in parts:
            position = name.index(part, position) + len(part)
    assert templates(names[::-1], alike=2, many=3).keys() == found.keys()


def test_very_long_names_stand_for_themselves() -> None:
    assert templates([f"{'1.' * 500_000}{n}" for n in range(4)]) == {}


def test_given_templates_go_by_their_form() -> None:
    found = fitted(["user.ann.inbox", "user.bob.inbox", "user.a.b.inbox", "orders"], ["user.{name}.inbox"])
    assert {name: template.text for name, template in found.items()} == {
        "user.ann.inbox": "user.{name}.inbox",
        "user.bob.inbox": "user.{name}.inbox",
    }
    assert found["user.ann.inbox"].parameters == (Parameter("name", "word", 2),)
