"""Our JSON Schema 2020-12 as AsyncAPI's own schemas, which are JSON Schema draft-07 and more. Pure.

References in an AsyncAPI document start at the document, so that definitions move to its components.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.asyncapi.names import pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.findings import Contract
    from msgtrace_analysis.renderers.asyncapi.names import Keys

_DEFINITIONS: Final = "#/$defs/"


def payload(contract: Contract, keys: Keys, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of an event type's bodies.

    Args:
        contract: what the bodies looked like.
        keys: of the document's schemas.
        schemas: the document's schemas; definitions are added.
    """
    definitions = contract.schema.get("$defs", {})
    names = {name: keys.key((contract.event, name), f"{contract.event}.{name}") for name in definitions}
    for name, each in definitions.items():
        schemas[names[name]] = _written(each, names)
    written: dict[str, Any] = _written(
        {name: each for name, each in contract.schema.items() if name not in {"$schema", "$defs"}}, names
    )
    _add_examples(written, contract)
    return written | {"x-samples": contract.samples, "x-certainty": contract.certainty}


def _written(schema: Any, names: Mapping[str, str]) -> Any:
    if isinstance(schema, list):
        return [_written(each, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    written: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "properties":
            written[keyword] = {name: _written(each, names) for name, each in value.items()}
        elif keyword in {"enum", "const", "required", "x-observed"}:
            written[keyword] = value
        elif keyword == "$ref" and value.startswith(_DEFINITIONS):
            name = value.removeprefix(_DEFINITIONS).replace("~1", "/").replace("~0", "~")
            written[keyword] = pointer("components", "schemas", names[name])
        elif keyword == "prefixItems":
            written["items"] = _written(value, names)
        elif keyword == "items" and "prefixItems" in schema:
            written["additionalItems"] = _written(value, names)
        elif keyword == "x-discriminator":
            written["discriminator"] = value
        else:
            written[keyword] = _written(value, names)
    return written


def _add_examples(schema: dict[str, Any], contract: Contract) -> None:
    """Give top-level fields the values that were seen, where they are known whole and are nobody's."""
    for field in contract.fields:
        known = schema.get("properties", {}).get(field.path)
        examples = [value for text in field.examples if (value := _plain(text)) is not None]
        if known is not None and examples and "enum" not in known and not field.format:
            known["examples"] = examples


def _plain(text: str) -> str | int | float | bool | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None  # cut
    if isinstance(value, str) and (value.startswith("<") or value.endswith("…")):
        return None  # told by kind only, or cut
    return value if isinstance(value, str | int | float | bool) else None
