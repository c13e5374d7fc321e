"""JSON and its lines: text for text what stood in the body."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders.limits import Malformed
from msgtrace_collectors.decoders.lines import is_json, json_lines

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.lists(VALUES) | st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES)


@given(st.lists(DOCUMENTS, min_size=2, max_size=5), st.sampled_from(["\n", "\r\n", "\n\x1e", "\n\n"]))
def test_round_trip(values: list[object], between: str) -> None:
    body = between.join(json.dumps(value, ensure_ascii=False) for value in values).encode()
    assert json.loads(json_lines(body)) == values


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_any_value_where_a_label_says_so(values: list[object]) -> None:
    assert json.loads(json_lines("\n".join(map(json.dumps, values)).encode(), said=True)) == values


@pytest.mark.parametrize("body", [b"", b"{}", b"{}\n[1,\n", b'{"a":1}\ntext', b"1\n2", b"[1]\n2"])
def test_not_lines(body: bytes) -> None:
    with pytest.raises(Malformed):
        json_lines(body)


@pytest.mark.parametrize(
    ("body", "alone", "said"),
    [
        (b"{}", True, True), (b" [1] ", True, True), (b'"x"', True, True), (b"42", False, True), (b"true", False, True),
        (b"", False, False), (b"{", False, False), (b'{"a":"\xff"}', False, False), (b"[" * 100_000, False, False), (b"nan", False, False),
    ],
)  # fmt: skip
def test_what_is_json(body: bytes, alone: bool, said: bool) -> None:
    assert is_json(body) == alone
    assert is_json(body, said=True) == said
