"""What fits what, and which messages are meant."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.messages.matching import Criteria, fits, judge, misfit
from msgtrace_analysis.messages.observed import Message, Receipt

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_every_value_fits_itself_and_whatever(value: Any) -> None:
    assert fits(value, value)
    assert fits(..., value)
    assert fits({}, {"a": value})
    assert not fits({"b": ...}, {"a": value})


@given(JSON, st.dictionaries(st.text(), JSON, max_size=3), st.dictionaries(st.text(), JSON, max_size=3))
def test_an_object_fits_in_one_with_more(value: Any, some: dict[str, Any], more: dict[str, Any]) -> None:
    assert fits(some, {**more, **some})
    assert fits([some], [{**more, **some}])
    assert fits({"a": some}, {"a": {**more, **some}, "b": value})


@pytest.mark.parametrize(
    ("wanted", "value", "told"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ".a.b: 2, expected 1"),
        ({"a": [int, str]}, {"a": [1, 2]}, ".a[1]: 2 is no str"),
        ({"a": [1]}, {"a": [1, 2]}, ".a: [1, 2] is no list of 1"),
        ({"a": {}}, {"a": 1}, ".a: 1 is no object"),
        ({"a": 1}, {"a": True}, ".a: True, expected 1"),
        (int, True, ": True is no int"),
        (re.compile("^o"), "paid", ": 'paid' has no '^o'"),
        (str.isdigit, "x", ": 'x' is refused by isdigit"),
        ({"a": 1}, None, ": None is no object"),
    ],
)
def test_what_does_not_fit_is_told(wanted: Any, value: Any, told: str) -> None:
    assert misfit(wanted, value) == told


def test_what_is_asked_of_a_message() -> None:
    created = Message(
        1,
        "order.created",
        frozenset({"order.created", "orders"}),
        channel="orders",
        service="shop",
        function="Shop.place",
    )
    paid = Message(
        2, "order.paid", frozenset({"order.paid"}), channel="payments", body={"id": 1}, headers={"v": "2"}, key="7",
        receipts=(Receipt("billing", "app.handlers.charge", "group-1"),), ancestors=frozenset({1}),
    )  # fmt: skip
    by_id = {1: created, 2: paid}

    def said(**criteria: Any) -> str:
        return judge(Criteria(**criteria), paid, by_id)

    for fine in (
        {}, {"event": "order.paid"}, {"event": "order.*"}, {"channel": "pay?ents"}, {"received_by": ("billing", "charge", "group-1")},
        {"caused_by": "order.created"}, {"caused_by": "orders"}, {"bodies": ({"id": int},)}, {"headers": {"v": "2"}}, {"key": "7"},
    ):  # fmt: skip
        assert said(**fine) == "", fine
    assert said(event="order.created") == "another event"
    assert said(event="order") == "another event"
    assert said(channel="orders") == "another channel"
    assert said(sent_by="shop") == "sent by nobody who was recorded"
    assert said(received_by=("billing", "shipping")) == "not received by shipping"
    assert said(received_by=("arge",)) == "not received by arge"
    assert said(caused_by="order.paid") == "not caused by order.paid"
    assert said(headers={"w": ...}) == "header w: 'missing'"
    assert judge(Criteria(sent_by="place"), created, by_id) == ""
    assert judge(Criteria(caused_by="order.created"), created, by_id) != ""
