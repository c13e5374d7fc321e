"""Moods of names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.moods import mood
from tests.analysis.hostile import NAMES


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("order.placed", "happened"),
        ("com.acme.OrderPlaced.v1", "happened"),
        ("ORDER_PAID", "happened"),
        ("payment-sent", "happened"),
        ("user.login", "happened"),
        ("StockEvent", "happened"),
        ("place_order", "order"),
        ("shop.tasks.charge_card", "order"),
        ("payment.capture", "order"),
        ("PayInvoiceCommand", "order"),
        ("price.request", "order"),
        ("get_price", "question"),
        ("PriceQuery", "question"),
        ("PriceReply", "answer"),
        ("worker.heartbeat", "pulse"),
        ("newsfeed", "thing"),
        ("prices", "thing"),
        ("user.{user_id}", "thing"),
        ("{created}", "thing"),
        ("", "thing"),
        ("42", "thing"),
    ],
)
def test_moods(name: str, expected: str) -> None:
    assert mood(name).mood == expected


@pytest.mark.parametrize("name", [*NAMES, "placed" * 200_000, "\ud800placed"])
def test_any_name_has_one(name: str) -> None:
    assert mood(name).mood in {"happened", "order", "question", "answer", "pulse", "thing"}


@given(st.text())
def test_case_of_a_whole_word_makes_no_difference(name: str) -> None:
    assert mood(f"{name} placed").mood == mood(f"{name} PLACED").mood == "happened"
