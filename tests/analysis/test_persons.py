"""What is written shows no address, number or account, and all else as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.renderers.persons import without_persons


@given(
    local=st.from_regex(r"[a-zA-Z0-9._%+-]{1,30}", fullmatch=True),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_no_address_is_left(local: str, before: str, after: str) -> None:
    address = f"{local}@people.example"
    assert address not in without_persons(f"{before} {address} {after}")


@given(value=st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(), st.lists))
def test_json_stays_json(value: object) -> None:
    json.loads(without_persons(json.dumps(value, ensure_ascii=False)))


@pytest.mark.parametrize(
    "text",
    [
        "1000000000012", "2026-11-25T10:00:00+02:00", "3e+12345678x", "order 4711", "user@host", "a@b", "DE88370400440532013000",
        "2b99b25c-31d3-4937-ba9f-7d4e0d688012", "x+15551234567",
    ],
)  # fmt: skip
def test_what_is_none_of_them(text: str) -> None:
    assert without_persons(text) == text


def test_an_address_that_was_cut() -> None:
    assert without_persons("user.ada@exam… and more") == "[email] and more"
