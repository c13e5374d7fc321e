"""Whatever things are called, their files have harmless names, and an index names nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.renderers.file_names import INDEX, OURS, distinct, files_of, safe

ANY_NAME = st.text(max_size=300) | st.sampled_from(
    ["..", ".", "", "/etc/passwd", "a/../b", "CON", "nul.x", "index", "a\x00b", "\ud800"]
)


@given(st.lists(ANY_NAME, unique=True, max_size=12))
def test_any_names_make_different_harmless_files(names: list[str]) -> None:
    made = distinct(names)
    assert len({each.lower() for each in made}) == len(names)
    assert all(OURS.fullmatch(f"{each}.json") and len(each) <= 120 and each.lower() != "index" for each in made)
    assert made == distinct(names)


def test_no_person_is_in_the_name_of_a_file() -> None:
    assert safe("told ada@example.org", "x", alone=True).startswith("told-email-")
    assert "DE89370400440532013000" not in safe("DE89370400440532013000", "x", alone=True)


def test_a_good_name_stays() -> None:
    assert safe("order.placed", "x", alone=True) == "order.placed"


@pytest.mark.parametrize("text", ["", "[]", '{"format": "x"}', "{" * 10_000, '{"files": 1}', '{"files": [1, null]}'])
def test_what_is_no_index_names_nothing(text: str) -> None:
    assert files_of(text) == set()


def test_an_index_can_name_nothing_outside() -> None:
    names = ["../a.json", "/b.json", INDEX, None, 3, "a.json", "a.yaml", ".hidden.json", "a.sh"]
    assert files_of(json.dumps({"files": names})) == {"a.json", "a.yaml"}
