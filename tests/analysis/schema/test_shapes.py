"""What JSON values have in common: the same in any order and division, true of every sample, bounded."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from msgtrace_analysis.passes.schema.fields import fields_of
from msgtrace_analysis.passes.schema.json_schema import schema_of
from msgtrace_analysis.passes.schema.judgement import cut_of, settle
from msgtrace_analysis.passes.schema.shapes import MAX_DEPTH, MAX_FIELDS, Shape
from msgtrace_analysis.passes.schema.texts import MAX_EXAMPLES, MAX_VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable

names = st.sampled_from(
    ["id", "name", "items", "kind", "$type", "$cut", "a b", "", "2026-01-01", "SKU-1234"]
) | st.text(max_size=3)
labels = st.sampled_from(
    ["new", "paid", "2026-03-04", "DE", "1.2.3", "ada@example.org", "a" * 70, "", "[redacted:jwt]"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=60)
    | labels
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
KINDS = ("card", "invoice", "cash")


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """Bodies that have something in common: variants, trees, tuples, closed sets, maps."""
    kind = draw(st.sampled_from(KINDS))
    body: dict[str, Any] = {"kind": kind, "own " + kind: draw(labels), "id": draw(st.integers(0, 99))}
    if draw(st.booleans()):
        body["place"] = [draw(st.floats(0, 90)), draw(st.text("xyz", min_size=1, max_size=3))]
    if draw(st.booleans()):
        body["prices"] = draw(st.dictionaries(st.integers(1000, 1020).map(str), st.floats(0, 9), max_size=3))
    body["tree"] = draw(
        st.recursive(
            st.just({"label": "leaf", "children": []}),
            lambda inner: st.fixed_dictionaries({"label": labels, "children": st.lists(inner, max_size=2)}),
            max_leaves=4,
        )
    )
    return body


def shape_of(values: Iterable[Any], *, marked: bool = False, start: int = 0) -> Shape:
    shape = Shape()
    column = list(values)
    shape.add(column, range(start, start + len(column)), marked=marked)
    return shape


def merged(*shapes: Shape) -> Shape:
    whole = Shape()
    for shape in shapes:
        whole.merge(copy.deepcopy(shape))
    return whole


def accepts(schema: dict[str, Any], value: Any) -> None:
    jsonschema.Draft202012Validator(schema).validate(value)


@settings(deadline=None)
@given(
    st.lists(documents | orders(), max_size=6),
    st.lists(documents | orders(), max_size=6),
    st.lists(documents | orders(), max_size=6),
    st.booleans(),
)
def test_merging_is_associative_and_commutative(first: Any, second: Any, third: Any, marked: bool) -> None:
    one = shape_of(first, marked=marked)
    two = shape_of(second, marked=marked, start=len(first))
    three = shape_of(third, marked=marked, start=len(first) + len(second))
    whole = shape_of([*first, *second, *third], marked=marked)
    assert merged(one, merged(two, three)) == merged(merged(one, two), three) == merged(three, one, two) == whole


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 2 * MAX_FIELDS).map(str), scalars, max_size=MAX_FIELDS), max_size=4))
def test_merging_is_the_same_when_an_object_turns_out_to_be_a_map(values: list[Any]) -> None:
    shapes = [shape_of([value], start=place) for place, value in enumerate(values)]
    assert merged(*shapes) == merged(*reversed(shapes)) == shape_of(values)


@given(st.lists(st.lists(st.integers(0, 2 * MAX_VALUES).map(str), max_size=MAX_VALUES), max_size=4))
def test_merging_is_the_same_when_values_turn_out_to_be_many(parts: list[list[str]]) -> None:
    whole = [each for part in parts for each in part]
    shapes, start = [], 0
    for part in parts:
        shapes.append(shape_of(part, start=start))
        start += len(part)
    assert merged(*shapes) == merged(*reversed(shapes)) == shape_of(whole)


@settings(deadline=None, max_examples=200)
@given(st.lists(documents, min_size=1, max_size=8) | st.lists(orders(), min_size=1, max_size=40))
@example([{"kind": "a", "x": 1}, {"kind": "b", "y": 1}] * 3 + [None])
@example([{"a": {"a": {"a": None, "b": 1}, "b": 1}, "b": 1}, {"a": None, "b": 2}])
@example([[1.5, "x"]] * 3)
@example([["a", 1], ["b", 2], ["c", None]])
@example([{"next": {"next": [], "v": 1}, "v": "x"}, 3])
def test_every_sample_satisfies_the_schema(values: list[Any]) -> None:
    schema = schema_of(settle(shape_of(values)))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    for value in values:
        accepts(schema, value)


@settings(deadline=None)
@given(st.lists(documents | orders(), min_size=1, max_size=8))
def test_presence_is_counted_and_never_more_than_possible(values: list[Any]) -> None:
    for field in fields_of(settle(shape_of(values))):
        assert 0 < field.present <= field.of
        assert field.nulls <= field.present
        assert len(field.examples) <= MAX_EXAMPLES + 2


def test_all_samples_count_and_not_the_last() -> None:
    shape = settle(shape_of([{"id": 1, "note": "a"}, {"id": 2, "note": None}, {"id": 2.5}]))
    assert schema_of(shape) == {
        "type": "object",
        "properties": {
            "id": {"type": "number", "x-observed": {"minimum": 1, "maximum": 2.5}},
            "note": {"type": ["null", "string"], "x-observed": {"minLength": 1, "maxLength": 1}},
        },
        "required": ["id"],
    }
    found = {field.path: (field.types, field.present, field.of, field.nulls) for field in fields_of(shape)}
    assert found == {"id": (("number",), 3, 3, 0), "note": (("null", "string"), 2, 3, 1)}


def test_fields_inside_of_arrays_are_counted_by_item() -> None:
    shape = settle(shape_of([{"items": [{"sku": "a"}, {"sku": "b", "n": 1}]}, {"items": []}]))
    found = {field.path: (field.present, field.of) for field in fields_of(shape)}
    assert found == {"items": (2, 2), "items[].sku": (2, 2), "items[].n": (1, 2)}


def test_what_is_nested_too_deep_is_only_counted() -> None:
    value: Any = "x"
    for _ in range(MAX_DEPTH + 5):
        value = [value]
    schema = schema_of(settle(shape_of([value, value])))
    accepts(schema, value)


@pytest.mark.parametrize("marked", [True, False])
def test_marks_are_fields_only_where_they_are_the_programs(marked: bool) -> None:
    shape = settle(
        shape_of([{"$type": "shop.Order", "id": 1, "$cut": True}, {"$type": "shop.Order", "id": 2}], marked=marked)
    )
    schema = schema_of(shape)
    assert ("$type" in schema["properties"]) is not marked
    assert schema.get("x-python-class") == (["shop.Order"] if marked else None)
    assert (cut_of(shape), "required" in schema) == ((1, False) if marked else (0, True))


@pytest.mark.parametrize("odd", [10**4_000, -(10**400), float("inf"), 1e308])
def test_numbers_of_any_size_are_numbers(odd: float) -> None:
    shape = settle(shape_of([1, odd]))
    json.dumps(schema_of(shape), allow_nan=False)
    assert all(len(example) <= 40 for field in fields_of(settle(shape_of([{"n": odd}]))) for example in field.examples)
