"""What says a version of a body: a field of it, or a header beside it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.schema.said_versions import preferred, version_said, versions_said


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
