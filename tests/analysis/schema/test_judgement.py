"""Closed sets, maps, tuples, variants and recursive shapes: told from what only looks like them."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest

from msgtrace_analysis.passes.schema.fields import fields_of
from msgtrace_analysis.passes.schema.json_schema import schema_of
from msgtrace_analysis.passes.schema.judgement import closed_set, is_map, settle, variants_of
from msgtrace_analysis.passes.schema.shapes import Shape

RANDOM = random.Random(5)


def shape_of(values: list[Any]) -> Shape:
    shape = Shape()
    shape.add(values, range(len(values)))
    return shape


def test_few_values_that_come_again_are_a_closed_set() -> None:
    values = RANDOM.choices(["pending", "paid", "shipped", "lost"], [8, 4, 2, 1], k=60)
    assert closed_set(shape_of(values)) == (("lost", "paid", "pending", "shipped"), "likely")
    schema = schema_of(shape_of([*values, None]))
    assert schema["enum"] == ["lost", "paid", "pending", "shipped", None]


@pytest.mark.parametrize(
    "values",
    [
        [f"customer {number % 40}" for number in range(50)],
        [str(uuid.UUID(int=RANDOM.getrandbits(128))) for _ in range(50)],
        ["always the same"] * 50,
        ["a", "b"] * 3,
        ["2026-01-01", "2026-01-02"] * 20,
        [f"usr_{number % 5:07}" for number in range(50)],
        ["open", "closed", 1] * 20,
        [f"word{chr(97 + number)}" for number in range(20)],
    ],
)
def test_ids_texts_and_short_samples_are_none(values: list[Any]) -> None:
    assert closed_set(shape_of(values)) is None


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([{f"2026-01-{day:02}": 1} for day in range(1, 9)], True),
        ([{str(uuid.UUID(int=RANDOM.getrandbits(128))): {"n": 1}} for _ in range(3)], True),
        ([{f"SKU-{number}": 9.5} for number in range(1000, 1005)], True),
        ([{RANDOM.choice("abcdefghij") * 3 + RANDOM.choice("xyzuvw") * 2: 1} for _ in range(30)], True),
        ([{"id": 1, "name": "x", "address_2": "y"}] * 3, False),
        ([{f"is_{name}": True for name in "abcdefghijkl" if RANDOM.random() < 0.4} for _ in range(50)], False),
        ([{}] * 9, False),
    ],
)
def test_maps_are_told_from_records(objects: list[Any], expected: bool) -> None:
    found = shape_of(objects).objects
    assert found is not None
    assert is_map(found) is expected


def test_a_tuple_has_a_schema_for_each_place() -> None:
    shape = settle(shape_of([[1.5, "north", 3], [2.5, "south", 4], [0.5, "north", 5]]))
    schema = schema_of(shape)
    assert [each["type"] for each in schema["prefixItems"]] == ["number", "string", "integer"]
    assert [field.path for field in fields_of(shape)] == ["[0]", "[1]", "[2]"]
    assert "prefixItems" not in schema_of(settle(shape_of([["a", "b"], ["c", "d"], ["e", "f"]])))


def payment(kind: str, **own: Any) -> dict[str, Any]:
    return {"kind": kind, "amount": RANDOM.randrange(100), **own}


def test_variants_are_told_apart_by_the_field_that_fields_go_with() -> None:
    values = [payment("card", pan=1, network="visa"), payment("invoice", due="2026-01-01"), payment("cash")] * 5
    for value in values:
        value["status"] = RANDOM.choice(["open", "done"])
    shape = settle(shape_of(values))
    assert shape.objects is not None
    found = variants_of(shape.objects)
    assert found is not None
    assert found.field == "kind"
    assert {name: sorted(fields) for name, (_, fields) in found.arms.items()} == {
        "card": ["amount", "kind", "network", "pan", "status"],
        "cash": ["amount", "kind", "status"],
        "invoice": ["amount", "due", "kind", "status"],
    }
    schema = schema_of(shape)
    assert schema["x-discriminator"] == "kind"
    assert len(schema["oneOf"]) == 3


def test_fields_that_come_and_go_make_no_variants() -> None:
    values = [payment(RANDOM.choice(["a", "b"]), **({"note": 1} if RANDOM.random() < 0.5 else {})) for _ in range(60)]
    shape = shape_of(values)
    assert shape.objects is not None
    assert variants_of(shape.objects) is None


def test_what_contains_its_like_refers_to_itself() -> None:
    def tree(depth: int) -> dict[str, Any]:
        return {"label": "x", "children": [tree(depth - 1) for _ in range(2) if depth]}

    schema = schema_of(settle(shape_of([{"root": tree(3)}, {"root": tree(0)}])))
    assert schema["properties"]["root"] == {"$ref": "#/$defs/root"}
    assert schema["$defs"]["root"]["properties"]["children"]["items"] == {"$ref": "#/$defs/root"}
