"""What fastavro writes comes out; schemas that would cost anything are refused before anything is read with them."""

from __future__ import annotations

import contextlib
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_collectors.decoders.avro import AvroSchema, container, datum
from msgtrace_collectors.decoders.limits import Malformed, TooMuch, Unavailable, Unreadable
from tests.collectors.decoders.trees import shown

if TYPE_CHECKING:
    from fastavro.types import Schema

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(), "boolean": st.booleans(), "int": st.integers(-(2**31), 2**31 - 1), "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(), "string": TEXTS, "bytes": st.binary(max_size=8),
}  # fmt: skip


@st.composite
def schemas(draw: st.DrawFn, depth: int = 3) -> tuple[Any, st.SearchStrategy[Any]]:
    """A schema, and values of it."""
    kind = draw(
        st.sampled_from(["primitive", "record", "array", "map", "optional", "enum"] if depth else ["primitive"])
    )
    if kind == "primitive":
        name = draw(st.sampled_from(sorted(PRIMITIVES)))
        return name, PRIMITIVES[name]
    if kind == "enum":
        name = f"E{draw(st.uuids()).hex}"
        return {"type": "enum", "name": name, "symbols": ["A", "B"]}, st.sampled_from(["A", "B"])
    if kind == "record":
        parts = {f"f{n}": draw(schemas(depth - 1)) for n in range(draw(st.integers(1, 4)))}
        fields = [{"name": name, "type": part[0]} for name, part in parts.items()]
        record = {"type": "record", "name": f"R{draw(st.uuids()).hex}", "fields": fields}
        return record, st.fixed_dictionaries({name: part[1] for name, part in parts.items()})
    inner, values = draw(schemas(depth - 1))
    if kind == "optional":
        return (inner, values) if isinstance(inner, list) or inner == "null" else (["null", inner], st.none() | values)
    if inner == "null" or (kind == "array" and isinstance(inner, dict) and inner["type"] == "record"):
        inner, values = "string", TEXTS
    if kind == "array":
        return {"type": "array", "items": inner}, st.lists(values, max_size=3)
    return {"type": "map", "values": inner}, st.dictionaries(TEXTS, values, max_size=3)


def written(schema: Schema, value: Any) -> bytes:
    made = io.BytesIO()
    fastavro.schemaless_writer(made, schema, value)
    return made.getvalue()


@given(st.data())
def test_round_trip(data: st.DataObject) -> None:
    schema, values = data.draw(schemas())
    tree = data.draw(values)
    assert json.loads(datum(written(schema, tree), AvroSchema.of(json.dumps(schema)))) == shown(tree)


@given(
    st.lists(st.fixed_dictionaries({"a": TEXTS, "b": st.none() | st.integers(-9, 9)}), max_size=20),
    st.sampled_from(["null", "deflate", "snappy"]),
)
def test_containers(values: list[Any], codec: str) -> None:
    schema = {
        "type": "record",
        "name": "x.R",
        "fields": [{"name": "a", "type": "string"}, {"name": "b", "type": ["null", "int"]}],
    }
    made = io.BytesIO()
    fastavro.writer(made, schema, values, codec=codec, sync_interval=50)
    document, declared = container(made.getvalue())
    assert json.loads(document) == values
    assert declared.name == "x.R"
    with pytest.raises(Malformed):
        container(made.getvalue()[:-1])


def test_logical_types() -> None:
    schema: Schema = {"type": "record", "name": "R", "fields": [
        {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}},
        {"name": "t", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "u", "type": {"type": "string", "logicalType": "uuid"}},
    ]}  # fmt: skip
    value = {"d": Decimal("1.50"), "t": datetime(2026, 1, 2, tzinfo=UTC), "u": "00000000-0000-0000-0000-000000000007"}
    assert json.loads(datum(written(schema, value), AvroSchema.of(json.dumps(schema)))) == {
        "d": "1.50", "t": "2026-01-02T00:00:00+00:00", "u": "00000000-0000-0000-0000-000000000007"
    }  # fmt: skip


TREE = {
    "type": "record",
    "name": "T",
    "fields": [{"name": "left", "type": ["null", "T"]}, {"name": "right", "type": ["null", "T"]}],
}


def test_a_schema_that_refers_to_itself() -> None:
    schema = AvroSchema.of(json.dumps(TREE))
    value = {"left": {"left": None, "right": None}, "right": None}
    assert json.loads(datum(written(TREE, value), schema)) == value
    with pytest.raises(TooMuch):
        datum(b"\x02" * 60_000, schema)  # the compiled reader would end the process here


def record(name: str, *fields: Any) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": f"f{n}", "type": kind} for n, kind in enumerate(fields)],
    }


def doubled(levels: int, last: str) -> Any:
    made: Any = record("R0", last)
    for level in range(1, levels):
        made = record(f"R{level}", made, f"R{level - 1}")
    return made


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": "null"},
        {"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}},
        {"type": "array", "items": record("E")},
        doubled(30, "null"),
        record("Many", ["null", doubled(20, "null")]),
        record("Wide", {"type": "array", "items": record("I", "int", *["null"] * 200)}),
        record("Recursive", *["null"] * 500, ["null", "Recursive"]),
    ],
)
def test_schemas_whose_values_cost_nothing(schema: Any) -> None:
    with pytest.raises(TooMuch):
        AvroSchema.of(json.dumps(schema))


@pytest.mark.parametrize("schema", [record("A", "A"), record("A", ["A"]), record("A", {"type": "array", "items": "A"})])
def test_schemas_without_an_end(schema: Any) -> None:
    read = AvroSchema.of(json.dumps(schema))
    assert read.recursive
    for body in (b"", b"\0" * 50_000, b"\x02" * 50_000):
        with contextlib.suppress(Unreadable):
            datum(body, read)


def test_ordinary_schemas_are_not_refused() -> None:
    wide = record("Wide", *[["null", "string"]] * 300, {"type": "array", "items": record("Item", *["string"] * 50)})
    nested: Any = "string"
    for level in range(20):
        nested = record(f"N{level}", nested)
    assert AvroSchema.of(json.dumps(wide)).name == "Wide"
    assert AvroSchema.of(json.dumps(record("Outer", {"type": "map", "values": nested}, ["null", "N3"]))).name == "Outer"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "7",
        '"nothing"',
        '{"type":"record"}',
        "[]",
        '{"type":"array"}',
        "[" * 5000,
        '{"type":' * 300 + '"int"' + "}" * 300,
    ],
)
def test_what_is_no_schema(text: str) -> None:
    with pytest.raises(Unreadable):
        AvroSchema.of(text)


@given(st.data())
def test_damaged_data(data: st.DataObject) -> None:
    schema, values = data.draw(schemas())
    read = AvroSchema.of(json.dumps(schema))
    body = bytearray(written(schema, data.draw(values)))
    for _ in range(min(len(body), 3)):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    for given_bytes in (bytes(body), bytes(body)[:-1], data.draw(st.binary(max_size=100))):
        with contextlib.suppress(Unreadable):
            json.loads(datum(given_bytes, read))


def test_hostile_containers() -> None:
    made = io.BytesIO()
    fastavro.writer(made, "string", ["x" * (30 << 20)], codec="deflate")
    with pytest.raises(TooMuch):
        container(made.getvalue())
    made = io.BytesIO()
    fastavro.writer(made, "string", ["x"], codec="xz")
    with pytest.raises(Unavailable):
        container(made.getvalue())
    with pytest.raises(Unreadable):
        container(b"Obj\x01" + b"\xff" * 100)
