"""Writes a settled summary as JSON Schema 2020-12. Pure.

The schema claims what every sample satisfied, no more: a field is required when no object lacked it and none was cut. What
was only seen, such as ranges and lengths, stands under `x-observed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.schema.backing import claimed_format
from msgtrace_analysis.passes.schema.judgement import closed_set, range_of, tuple_places, variants_of

if TYPE_CHECKING:
    from msgtrace_analysis.passes.schema.backing import Span
    from msgtrace_analysis.passes.schema.judgement import Variants
    from msgtrace_analysis.passes.schema.shapes import Arrays, Objects, Shape

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema_of(shape: Shape, span: Span | None = None) -> dict[str, Any]:
    """The JSON Schema of a settled shape, without the dialect; `span` is that of the trace."""
    definitions: dict[str, Any] = {}
    schema = _Writer(definitions, span).schema(shape, "body")
    if definitions:
        schema["$defs"] = definitions
    return schema


class _Writer:
    """Writes one schema.

    Args:
        definitions: of objects that contain their like; filled.
        span: of the trace.
    """

    def __init__(self, definitions: dict[str, Any], span: Span | None) -> None:
        self._definitions = definitions
        self._span = span
        self._open: list[str] = []

    def schema(self, shape: Shape, name: str) -> dict[str, Any]:
        names = shape.names()
        schema: dict[str, Any] = {}
        if names and "any" not in names:
            schema["type"] = names[0] if len(names) == 1 else names
        _scalar(shape, schema, name, self._span)
        if "array" in names and shape.arrays is not None:
            written = self._array(shape.arrays, shape.of("array"), name)
            observed = schema.get("x-observed", {}) | written.get("x-observed", {})
            schema |= written | ({"x-observed": observed} if observed else {})
        if shape.classes:
            schema["x-python-class"] = sorted(shape.classes)
        if shape.recursive:
            return _or_reference(schema, self._open[-1])
        if "object" in names and shape.objects is not None:
            return self._object(shape, shape.objects, schema, name)
        return schema

    def _array(self, arrays: Arrays, count: int, name: str) -> dict[str, Any]:
        places = tuple_places(arrays, count)
        if places is not None:
            written = [self.schema(each, f"{name}_{place}") for place, each in enumerate(places)]
            return {"prefixItems": written, "items": False, "minItems": len(written)}
        items = arrays.items
        found = {"items": self.schema(items, f"{name}_item")} if items is not None and items.count else {}
        return found | {"x-observed": {"minItems": arrays.shortest, "maxItems": arrays.longest}}

    def _object(self, shape: Shape, objects: Objects, schema: dict[str, Any], name: str) -> dict[str, Any]:
        if objects.fields is None:
            values = self.schema(objects.values, f"{name}_value") if objects.values else {}
            return {**schema, "additionalProperties": values}
        contains_its_like = any(_is_recursive(each) for each in objects.fields.values())
        if contains_its_like:
            self._open.append(self._fresh(name))
        properties = {field: self.schema(each, field) for field, each in sorted(objects.fields.items())}
        variants = None if shape.cut else variants_of(objects)
        written = _properties(properties, objects, shape.cut) if variants is None else _arms(properties, variants)
        if not contains_its_like:
            return {**schema, **written} if variants is None else _beside(schema, {"type": "object", **written})
        definition = self._open.pop()
        self._definitions[definition] = {"type": "object", **written}
        return _or_reference(schema, definition)

    def _fresh(self, name: str) -> str:
        taken = {*self._definitions, *self._open}
        return next(each for n in range(len(taken) + 1) if (each := f"{name}_{n}" if n else name) not in taken)


def _is_recursive(shape: Shape) -> bool:
    items = None if shape.arrays is None else shape.arrays.items
    return shape.recursive or (items is not None and items.recursive)


def _or_reference(schema: dict[str, Any], definition: str) -> dict[str, Any]:
    """A schema in which objects are as they are defined elsewhere."""
    return _beside(schema, {"$ref": f"#/$defs/{definition.replace('~', '~0').replace('/', '~1')}"})


def _beside(schema: dict[str, Any], objects: dict[str, Any]) -> dict[str, Any]:
    """A schema whose objects are as another says, which would have no other type."""
    kinds = schema.get("type", [])
    others = [each for each in ([kinds] if isinstance(kinds, str) else kinds) if each != "object"]
    rest = {name: each for name, each in schema.items() if name != "type"}
    if not others:
        return {**objects, **rest}
    return {"anyOf": [objects, {"type": others[0] if len(others) == 1 else others, **rest}]}


def _properties(properties: dict[str, Any], objects: Objects, cut: int) -> dict[str, Any]:
    required = [name for name in properties if (objects.fields or {})[name].count == objects.count]
    return {"properties": properties} | ({"required": required} if required and not cut else {})


def _arms(properties: dict[str, Any], variants: Variants) -> dict[str, Any]:
    arms = []
    for value, (count, names) in variants.arms.items():
        own = {name: each for name, each in properties.items() if name in names}
        own[variants.field] = {"type": "string", "const": value}
        required = [name for name in own if names[name] == count]
        arms.append({"properties": own, "required": required})
    return {"oneOf": arms, "x-discriminator": variants.field}


def _scalar(shape: Shape, schema: dict[str, Any], name: str, span: Span | None) -> None:
    names = set(shape.types)
    form, sure = claimed_format(shape, name, span)
    if form:
        schema["format"] = form
        if sure == "guess":
            schema["x-format-certainty"] = sure
    closed = closed_set(shape)
    observed: dict[str, Any] = {}
    if closed is not None:
        values, certainty = closed
        schema["enum"] = [*values, None] if "null" in names else list(values)
        schema["x-enum-certainty"] = certainty
    elif "string" in names and shape.texts is not None:
        observed |= {"minLength": shape.texts.shortest, "maxLength": shape.texts.longest}
    numbers = range_of(shape)
    if numbers is not None:
        observed |= {"minimum": numbers[0], "maximum": numbers[1]}
    if observed:
        schema["x-observed"] = observed
