"""Writes a shape as JSON Schema 2020-12 and as a list of fields. Pure.

The schema claims what every sample satisfied, no more: a field is required when no object lacked it and none was cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.passes.shapes import Shape

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def types_of(shape: Shape) -> list[str]:
    """The type names, sorted; `integer` goes without saying where there are fractions too."""
    names = set(shape.types)
    if "number" in names:
        names.discard("integer")
    return sorted(names)


def schema_of(shape: Shape) -> dict[str, Any]:
    """The JSON Schema of a shape, without the dialect."""
    schema: dict[str, Any] = {}
    names = types_of(shape)
    if names and "any" not in names:
        schema["type"] = names[0] if len(names) == 1 else names
    if "object" in names:
        schema.update(_object_schema(shape))
    if "array" in names and shape.items is not None and shape.items.count:
        schema["items"] = schema_of(shape.items)
    if shape.classes:
        schema["x-python-class"] = sorted(shape.classes)
    return schema


def _object_schema(shape: Shape) -> dict[str, Any]:
    if shape.objects is None:
        return {"additionalProperties": schema_of(shape.values) if shape.values else {}}
    schema: dict[str, Any] = {"properties": {name: schema_of(each) for name, each in sorted(shape.objects.items())}}
    objects = shape.types["object"]
    required = [name for name, each in sorted(shape.objects.items()) if each.count == objects]
    if required and not shape.cut:
        schema["required"] = required
    return schema


def fields_of(shape: Shape, path: str = "") -> Iterator[Field]:
    """Every field, parents first, by path."""
    if shape.items is not None and shape.items.count:
        if types_of(shape.items) != ["object"]:
            yield _field(f"{path}[]", shape.items, shape.items.count)
        yield from fields_of(shape.items, f"{path}[]")
    if shape.objects is None:
        if shape.values is not None:
            yield _field(f"{path}.*" if path else "*", shape.values, shape.values.count)
            yield from fields_of(shape.values, f"{path}.*" if path else "*")
        return
    for name, each in sorted(shape.objects.items()):
        here = f"{path}.{name}" if path else name
        yield _field(here, each, shape.types["object"])
        yield from fields_of(each, here)


def _field(path: str, shape: Shape, of: int) -> Field:
    return Field(
        path=path,
        types=tuple(types_of(shape)),
        present=shape.count,
        of=of,
        nulls=shape.types.get("null", 0),
        examples=shape.examples,
    )
