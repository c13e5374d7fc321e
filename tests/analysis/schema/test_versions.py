"""Versions: what says them, what changed, and what that is for readers of the other one."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.truth import schemas
from bench.truth.structure import Shown, sample
from bench.truth.versions import CHANGES
from msgtrace_analysis.passes.schema.judgement import settle
from msgtrace_analysis.passes.schema.shapes import Shape
from msgtrace_analysis.passes.schema.versions import changes, preferred, verdict, version_said, versions_said


def shape_of(values: list[Any]) -> Shape:
    shape = Shape()
    shape.add(values, range(len(values)))
    return settle(shape)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seed", range(4))
def test_every_change_is_judged(change: str, seed: int) -> None:
    rng = Random(seed)
    candidates = (schemas.record(rng, 4, least=5) for _ in range(1_000))
    record, (new, expected) = next(
        (each, made) for each in candidates if (made := CHANGES[change](rng, each)) is not None
    )
    before, after = (shape_of([sample(each, rng, "", Shown()) for _ in range(200)]) for each in (record, new))
    assert verdict(changes(before, after)) == expected


def test_samples_of_one_schema_are_no_change() -> None:
    rng = Random(4)
    wrong = 0
    for _ in range(60):
        record = schemas.record(rng, 2)
        before, after = (shape_of([sample(record, rng, "", Shown()) for _ in range(50)]) for _ in range(2))
        wrong += verdict(changes(before, after)) != "full"
    assert wrong <= 6


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"schema_version": 2, "version": 7}, ("field schema_version", "2")),
        ({"schemaVersion": "1.2"}, ("field schemaVersion", "1.2")),
        ({"v": 1}, ("field v", "1")),
        ({"version": "v3"}, ("field version", "v3")),
        ({"version": 1.5}, None),
        ({"version": "latest"}, None),
        ({"version": True}, None),
        ({"version": -1}, None),
        ([], None),
    ],
)
def test_what_says_a_version(body: Any, said: Any) -> None:
    assert version_said(body) == said


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.dictionaries(
                st.sampled_from(["v", "schemaVersion", "Schema_Version", "other"]),
                st.sampled_from([1, True, 1.0, "1", "v1.2", "one", 99_999, None]),
            ),
        ),
        max_size=12,
    )
)
def test_of_many_bodies_each_says_what_it_says_alone(bodies: list[dict[str, object] | None]) -> None:
    assert versions_said(bodies) == [version_said(body) for body in bodies]


@pytest.mark.parametrize(
    ("header", "field", "expected"),
    [
        (None, None, None),
        (None, ("field version", "1"), ("field version", "1")),
        (("header x-version", "2"), None, ("header x-version", "2")),
        (("header x-version", "2"), ("field schema_version", "1"), ("field schema_version", "1")),
        (("header schema-version", "2"), ("field schema_version", "1"), ("header schema-version", "2")),
    ],
)
def test_a_header_is_believed_unless_it_may_count_something_else(header: Any, field: Any, expected: Any) -> None:
    assert preferred(header, field) == expected
