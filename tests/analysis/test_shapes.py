"""What JSON values have in common: the same in any order and division, true of every sample, bounded."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.schemas import fields_of, schema_of
from msgtrace_analysis.passes.shapes import MAX_DEPTH, MAX_EXAMPLES, MAX_FIELDS, Shape, shown

names = st.sampled_from(["id", "name", "items", "$type", "$cut", "a b", ""]) | st.text(max_size=3)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=60)
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)


def shape_of(*values: Any, marked: bool = False) -> Shape:
    shape = Shape()
    for value in values:
        shape.add(value, marked=marked)
    return shape


def merged(*shapes: Shape) -> Shape:
    whole = Shape()
    for shape in shapes:
        whole.merge(copy.deepcopy(shape))
    return whole


@given(st.lists(documents, max_size=6), st.lists(documents, max_size=6), st.lists(documents, max_size=6), st.booleans())
def test_merging_is_associative_and_commutative(first: Any, second: Any, third: Any, marked: bool) -> None:
    one, two, three = (shape_of(*values, marked=marked) for values in (first, second, third))
    whole = shape_of(*first, *second, *third, marked=marked)
    assert merged(one, merged(two, three)) == merged(merged(one, two), three) == merged(three, one, two) == whole


@given(st.lists(st.dictionaries(st.integers(0, 2 * MAX_FIELDS).map(str), scalars, max_size=MAX_FIELDS), max_size=4))
def test_merging_is_the_same_when_an_object_turns_out_to_be_a_map(values: list[Any]) -> None:
    shapes = [shape_of(value) for value in values]
    assert merged(*shapes) == merged(*reversed(shapes)) == shape_of(*values) == shape_of(*reversed(values))


@given(st.lists(documents, min_size=1, max_size=8))
def test_every_sample_satisfies_the_schema(values: list[Any]) -> None:
    schema = schema_of(shape_of(*values))
    jsonschema.Draft202012Validator.check_schema(schema)
    for value in values:
        jsonschema.Draft202012Validator(schema).validate(value)


@given(st.lists(documents, min_size=1, max_size=8))
def test_presence_is_counted_and_never_more_than_possible(values: list[Any]) -> None:
    for field in fields_of(shape_of(*values)):
        assert 0 < field.present <= field.of
        assert field.nulls <= field.present
        assert len(field.examples) <= MAX_EXAMPLES


def test_all_samples_count_and_not_the_last() -> None:
    shape = shape_of({"id": 1, "note": "a"}, {"id": 2, "note": None}, {"id": 2.5})
    assert schema_of(shape) == {
        "type": "object",
        "properties": {"id": {"type": "number"}, "note": {"type": ["null", "string"]}},
        "required": ["id"],
    }
    found = {field.path: (field.types, field.present, field.of, field.nulls) for field in fields_of(shape)}
    assert found == {"id": (("number",), 3, 3, 0), "note": (("null", "string"), 2, 3, 1)}


def test_fields_inside_of_arrays_are_counted_by_item() -> None:
    shape = shape_of({"items": [{"sku": "a"}, {"sku": "b", "n": 1}]}, {"items": []})
    found = {field.path: (field.present, field.of) for field in fields_of(shape)}
    assert found == {"items": (2, 2), "items[].n": (1, 2), "items[].sku": (2, 2)}


def test_very_many_names_are_data() -> None:
    shape = shape_of({f"user-{number}": number for number in range(MAX_FIELDS + 1)})
    assert schema_of(shape) == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert [field.path for field in fields_of(shape)] == ["*"]


def test_what_is_nested_very_deep_is_only_counted() -> None:
    value: Any = "deep"
    for _ in range(MAX_DEPTH + 5):
        value = [value]
    jsonschema.validate(value, schema_of(shape_of(value)))


def test_marks_of_a_snapshot_are_no_fields() -> None:
    shape = shape_of({"$type": "shop.Order", "id": 1}, {"$type": "shop.Order", "$cut": True}, marked=True)
    assert schema_of(shape) == {
        "type": "object",
        "properties": {"id": {"type": "integer"}},
        "x-python-class": ["shop.Order"],
    }
    assert shape.cut == 1


def test_the_same_names_in_a_real_body_are_fields() -> None:
    shape = shape_of({"$type": "Shop.Order, Shop"})
    assert [field.path for field in fields_of(shape)] == ["$type"]


@pytest.mark.parametrize(
    ("value", "example"),
    [
        ("web", '"web"'),
        ("write to ada@example.org, please", '"write to <email>, please"'),
        ("user:2b99b25c-31d3-4937-ba9f-7d4e0d688012", '"user:<uuid>"'),
        ("2026-11-24T04:20:37.640235+00:00", '"<date-time>"'),
        ("+49 (30) 1234-5678", '"<digits>"'),
        ("x" * 100, '"' + "x" * 39 + '…"'),
        ('"quoted"', '"\\"quoted\\""'),
        (12.5, "12.5"),
        (True, "true"),
    ],
)
def test_examples_are_short_and_keep_persons_out(value: object, example: str) -> None:
    assert shown(value) == example
