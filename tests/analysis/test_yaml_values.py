"""YAML is what the library itself writes, and reads as what was to be written."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.renderers.yaml_values import text

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        "",
        "yes",
        "NULL",
        "1",
        "1e3",
        "0x1f",
        "2026-03-01",
        "=",
        "<<",
        "a: b",
        "- a",
        "# a",
        " a ",
        "a\nb",
        "é",
        "~",
        "x" * 300,
    ]
)
SCALARS = TEXTS | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=15
)


class _Whole(yaml.CSafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


@given(DOCUMENTS)
def test_it_is_what_the_library_writes(document: object) -> None:
    assert text(document) == yaml.dump(document, Dumper=_Whole, sort_keys=False, allow_unicode=True, width=120)


@given(DOCUMENTS)
def test_it_reads_as_what_was_written(document: object) -> None:
    assert yaml.safe_load(text({"document": document})) == {"document": document}


def test_the_same_value_twice_has_no_anchor() -> None:
    value = ["a"]
    assert text({"one": value, "two": value}) == "one:\n- a\ntwo:\n- a\n"


def test_a_half_of_a_character_stands_as_its_escape() -> None:
    assert text({"\ud800": "\udfff"}) == "\\ud800: \\udfff\n"
