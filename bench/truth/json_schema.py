"""Reads a JSON Schema as claims about places in a body, however it is written: `$ref`, `oneOf`, `anyOf`, `const`. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_DEPTH: Final = 12
Schema = Any
ALIASES: Final = {
    "decimal-string": "decimal", "epoch-milliseconds": "epoch-millis", "epoch-ms": "epoch-millis", "epoch-s": "epoch-seconds",
    "unix-seconds": "epoch-seconds", "unix-millis": "epoch-millis", "country-code": "country", "currency-code": "currency",
    "phone": "e164", "e.164": "e164", "E.164": "e164", "byte": "base64", "iso-3166-1-alpha-2": "country", "iso-4217": "currency",
    "epoch_seconds": "epoch-seconds", "epoch_millis": "epoch-millis", "url": "uri",
}  # fmt: skip


@dataclass(slots=True)
class Claim:
    """What a schema says about one place.

    Attributes:
        enum: the values of a closed set; None where it claims none.
        variants: discriminator -> its value -> names of the fields of that variant.
    """

    types: set[str] = field(default_factory=set)
    required: bool = False
    format: str = ""
    enum: tuple[str, ...] | None = None
    is_map: bool = False
    variants: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)


def claims(schema: Mapping[str, Any]) -> dict[str, Claim]:
    """All that a schema claims, by path; the whole body's is ''."""
    found: dict[str, Claim] = {}
    _visit([schema], "", schema, found, frozenset(), 0)
    return found


def _visit(
    schemas: Sequence[Schema], path: str, root: Schema, found: dict[str, Claim], refs: frozenset[str], depth: int
) -> None:
    claim = found.setdefault(path, Claim())
    inner = refs | {each["$ref"] for each in schemas if isinstance(each, dict) and "$ref" in each}
    plain = [each for schema in schemas for each in _alternatives(schema, root)]
    for each in plain:
        claim.types |= _types(each)
    if "number" in claim.types:
        claim.types.discard("integer")
    _scalar(plain, claim)
    if depth > MAX_DEPTH or (inner == refs and any("$ref" in each for each in schemas if isinstance(each, dict))):
        return
    _object([each for each in plain if "object" in _types(each)], path, root, found, inner, depth)
    items = [each["items"] for each in plain if isinstance(each.get("items"), dict)]
    if items:
        _visit(items, f"{path}[]", root, found, inner, depth + 1)
    for place in range(max((len(each.get("prefixItems", ())) for each in plain), default=0)):
        there = [each["prefixItems"][place] for each in plain if len(each.get("prefixItems", ())) > place]
        _visit(there, f"{path}[{place}]", root, found, inner, depth + 1)


def _object(
    objects: list[Schema], path: str, root: Schema, found: dict[str, Claim], refs: frozenset[str], depth: int
) -> None:
    claim = found[path]
    names = {name: None for each in objects for name in each.get("properties", ())}
    for name in names:
        here = f"{path}.{name}" if path else name
        _visit(
            [e["properties"][name] for e in objects if name in e.get("properties", ())],
            here,
            root,
            found,
            refs,
            depth + 1,
        )
        found[here].required = all(name in each.get("required", ()) for each in objects)
    values = [each["additionalProperties"] for each in objects if isinstance(each.get("additionalProperties"), dict)]
    values += [value for each in objects for value in each.get("patternProperties", {}).values()]
    if values and not names:
        claim.is_map = True
        _visit(values, f"{path}.*", root, found, refs, depth + 1)
    claim.variants = _variants(objects)


def _variants(objects: list[Schema]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Alternatives that differ in the constant value of one property."""
    if len(objects) < 2:
        return {}
    shared = set.intersection(*(set(each.get("properties", ())) for each in objects))
    for name in sorted(shared):
        values = [_constants(each["properties"][name]) for each in objects]
        flat = [value for each in values for value in each]
        if all(values) and len(set(flat)) == len(flat):
            pairs = zip(objects, values, strict=True)
            return {name: {value: tuple(sorted(each["properties"])) for each, some in pairs for value in some}}
    return {}


def _constants(schema: Schema) -> list[str]:
    if not isinstance(schema, dict):
        return []
    if "const" in schema:
        return [str(schema["const"])]
    return [str(each) for each in schema.get("enum", ())]


def _alternatives(schema: Schema, root: Schema, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Schemas without references and alternatives, one for each way to satisfy this one."""
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return
    base = {name: value for name, value in schema.items() if name not in {"$ref", "oneOf", "anyOf", "allOf"}}
    ways = [base]
    for branches in ([[schema["$ref"]]] if "$ref" in schema else []) + [[b] for b in schema.get("allOf", ())]:
        branch = _resolved(branches[0], root) if isinstance(branches[0], str) else branches[0]
        ways = [_both(way, each) for way in ways for each in _alternatives(branch, root, depth + 1)]
    for name in ("oneOf", "anyOf"):
        if name in schema:
            branched = [each for branch in schema[name] for each in _alternatives(branch, root, depth + 1)]
            ways = [_both(way, each) for way in ways for each in branched]
    yield from ways


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one or "required" in other:
        joined["required"] = [*one.get("required", ()), *other.get("required", ())]
    return joined


def _resolved(ref: str, root: Schema) -> Schema:
    found = root
    for part in ref.removeprefix("#").strip("/").split("/"):
        if part:
            found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def _types(schema: dict[str, Any]) -> set[str]:
    named = schema.get("type")
    if isinstance(named, str):
        return {named}
    if named:
        return set(named)
    if "const" in schema or "enum" in schema:
        return {_type(each) for each in ([schema["const"]] if "const" in schema else schema["enum"])}
    return {"object"} if "properties" in schema else set()


def _type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _scalar(plain: list[dict[str, Any]], claim: Claim) -> None:
    telling = [each for each in plain if _types(each) != {"null"}]
    formats = {_format(each) for each in telling if _types(each) & {"string", "integer", "number"}}
    if len(formats) == 1:
        claim.format = formats.pop()
    texts = [each for each in telling if "string" in _types(each)]
    if texts and all("enum" in each or "const" in each for each in texts):
        values = [value for each in texts for value in (each["enum"] if "enum" in each else [each["const"]])]
        claim.enum = tuple(sorted({value for value in values if isinstance(value, str)}))


def _format(schema: dict[str, Any]) -> str:
    named = schema.get("format") or schema.get("x-format") or schema.get("contentEncoding") or ""
    return ALIASES.get(named, named)
