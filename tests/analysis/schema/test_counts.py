"""Counts say of a summary what comparing needs: a summary that is made of them compares the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.schema.counts import MOST, counts_of, shape_of
from msgtrace_analysis.passes.schema.judgement import settle
from msgtrace_analysis.passes.schema.shapes import Shape
from msgtrace_analysis.passes.schema.versions import differences

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd") | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def shaped(values: list[Any]) -> Shape:
    shape = Shape()
    shape.add(values, range(len(values)))
    return settle(shape)


@given(st.lists(VALUES, max_size=8))
def test_there_and_back(values: list[Any]) -> None:
    counts = json.loads(json.dumps(counts_of(shaped(values))))
    assert counts_of(shape_of(counts)) == counts


@given(st.lists(VALUES, min_size=1, max_size=8), st.lists(VALUES, min_size=1, max_size=8))
def test_what_is_made_of_counts_compares_the_same(before: list[Any], after: list[Any]) -> None:
    old, new = shaped(before), shaped(after)
    assert list(differences(shape_of(counts_of(old)), shape_of(counts_of(new)))) == list(differences(old, new))


def test_what_contains_its_like() -> None:
    leaf = {"name": "a", "size": 1, "inner": None}
    counts = counts_of(shaped([leaf | {"inner": leaf}] * 3))
    assert counts["objects"] == 6
    assert counts_of(shape_of(counts)) == counts


@pytest.mark.parametrize(
    "wrong",
    [{}, {"seen": 1}, {"seen": "x", "types": {}}, {"seen": 1, "types": []}, {"seen": 1, "types": {}, "fields": [1]}],
)
def test_what_are_no_counts(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        shape_of(wrong)


def test_counts_nested_without_end() -> None:
    counts: dict[str, Any] = {"seen": 1, "types": {}}
    for _ in range(MOST + 2):
        counts = {"seen": 1, "types": {"array": 1}, "items": counts}
    with pytest.raises(ValueError, match="nested deeper"):
        shape_of(counts)
