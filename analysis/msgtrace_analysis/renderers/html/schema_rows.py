"""Lays a JSON Schema out as rows, one for each field, so that two of them can stand side by side. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_ROWS: Final = 200
DEEPEST: Final = 12


def schema_rows(schema: Mapping[str, Any]) -> tuple[list[tuple[str, str, bool]], int]:
    """Path, type in words, and whether it is required; and how many rows were left out.

    >>> schema_rows({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}})
    ([('a', 'array', False), ('a[]', 'string', False)], 0)
    """
    rows = dict.fromkeys(_rows(schema, "", DEEPEST))
    kept = list(rows)[:MOST_ROWS]
    return kept, len(rows) - len(kept)


def _rows(schema: Any, path: str, deeper: int) -> Iterator[tuple[str, str, bool]]:
    if not isinstance(schema, dict) or not deeper:
        return
    required = set(schema.get("required", ()))
    for name, each in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, _words(each), name in required
        yield from _rows(each, here, deeper - 1)
    items = schema.get("items")
    if isinstance(items, dict) and items:
        yield f"{path}[]", _words(items), False
        yield from _rows(items, f"{path}[]", deeper - 1)
    for place, each in enumerate(schema.get("prefixItems", ())):
        yield f"{path}[{place}]", _words(each), True
        yield from _rows(each, f"{path}[{place}]", deeper - 1)
    values = schema.get("additionalProperties")
    if isinstance(values, dict) and values:
        yield f"{path}.*" if path else "*", _words(values), False
        yield from _rows(values, f"{path}.*" if path else "*", deeper - 1)
    for several in ("anyOf", "oneOf"):
        for each in schema.get(several, ()):
            yield from _rows(each, path, deeper - 1)


def _words(schema: Any) -> str:
    """The type, format and values of a schema."""
    if not isinstance(schema, dict):
        return "any"
    kinds = schema.get("type", [])
    names = [kinds] if isinstance(kinds, str) else list(kinds)
    for several in ("anyOf", "oneOf"):
        names += [each for one in schema.get(several, ()) for each in [_words(one)] if each not in names]
    if "$ref" in schema:
        names.append(f"as {schema['$ref'].rpartition('/')[2]}")
    words = " or ".join(names) or ("object" if "properties" in schema else "any")
    if "format" in schema:
        words += f", {schema['format']}"
    if "const" in schema:
        words += f", always {schema['const']!r}"
    if "enum" in schema:
        words += f", one of {len(schema['enum'])}"
    return words
