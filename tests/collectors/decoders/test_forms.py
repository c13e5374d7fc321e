"""Forms as browsers and urllib encode them."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders.forms import form
from msgtrace_collectors.decoders.limits import Malformed, TooMuch

TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)


@given(st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS, min_size=2, max_size=4), min_size=1, max_size=5))
def test_round_trip(fields: dict[str, object]) -> None:
    assert json.loads(form(urlencode(fields, doseq=True).encode())) == fields


@given(st.binary(max_size=200))
def test_anything_else(body: bytes) -> None:
    if b"=" in body:
        assert isinstance(json.loads(form(body)), dict)
    else:
        with pytest.raises(Malformed):
            form(body)


def test_too_many_fields() -> None:
    with pytest.raises(TooMuch):
        form(b"&".join([b"a=1"] * 20_000))
