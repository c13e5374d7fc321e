"""A contract in the form in which schema registries keep it: YAML with versions, format, fields and evolution rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.markdown import Safe, fenced
from msgtrace_analysis.renderers.yaml_values import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from msgtrace_analysis.findings import Contract, Event, Verdict

MAX_DEPTH: Final = 12
WORST_FIRST: Final[tuple[Verdict, ...]] = ("none", "backward", "forward", "full")


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of a schema.

    Attributes:
        types: JSON Schema's, sorted.
        required: every object had it.
    """

    name: str
    types: tuple[str, ...]
    required: bool
    schema: Mapping[str, Any]


def registered(event: Event, contract: Contract, encodings: Sequence[str]) -> Safe:
    """The entry of an event type."""
    document = {
        "event": event.name,
        "channel": f"{event.system} {event.channel_kind} {event.address}",
        "format": ", ".join(encodings) or "unknown",
        "versions": list(_versions(contract)),
        "evolution": _evolution(event, contract),
    }
    return fenced("yaml", text(document).rstrip("\n"))


def _versions(contract: Contract) -> Iterator[dict[str, Any]]:
    if not contract.versions:
        yield {
            "version": "the only one seen",
            "samples": contract.samples,
            "fields": [_field(each) for each in entries(contract.schema)],
        }
    for version in contract.versions:
        yield {
            "version": version.name,
            "samples": version.samples,
            "fields": [_field(each) for each in entries(version.schema)],
        }


def _field(entry: Entry) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": entry.name,
        "type": entry.types[0] if len(entry.types) == 1 else list(entry.types) or "any",
        "required": entry.required,
    }
    if "format" in entry.schema:
        field["format"] = entry.schema["format"]
    if "enum" in entry.schema:
        field["enum"] = list(entry.schema["enum"])
    return field


def _evolution(event: Event, contract: Contract) -> dict[str, Any]:
    kept = [each.name for each in entries(contract.schema) if each.required]
    verdicts = [each.verdict for each in contract.versions if each.verdict is not None]
    rules: dict[str, Any] = {
        "told_by": contract.versioned_by or "nothing: one version was seen",
        "compatibility": min(verdicts, key=WORST_FIRST.index) if verdicts else "not observed",
        "changes": [
            f"{version.name}: {change.path} {change.what} ({change.reads})"
            for version in contract.versions
            for change in version.changes
        ],
        "consumers": sorted({party.place.service for party in event.consumers}),
        "always_sent": kept,
    }
    return {name: value for name, value in rules.items() if value != []}


def entries(schema: Mapping[str, Any]) -> list[Entry]:
    """The fields of a schema, those within others by their way: `items[].sku`; each once."""
    found: dict[str, Entry] = {}
    for each in _within(schema, "", schema.get("$defs", {}), 0):
        known = found.get(each.name)
        if known is None:
            found[each.name] = each
        else:
            types = tuple(sorted({*known.types, *each.types}))
            found[each.name] = Entry(each.name, types, known.required and each.required, known.schema)
    return list(found.values())


def _within(schema: Mapping[str, Any], above: str, defined: Mapping[str, Any], depth: int) -> Iterator[Entry]:
    if depth > MAX_DEPTH:
        return
    arms = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
    everywhere = set.intersection(*(set(arm.get("required", ())) for arm in arms)) if arms else set()
    for arm in arms:
        for each in _within(arm, above, defined, depth + 1):
            top = "." not in each.name.removeprefix(f"{above}.") and "[" not in each.name.removeprefix(f"{above}.")
            own = each.name.removeprefix(f"{above}.") if above else each.name
            yield Entry(each.name, each.types, each.required and (own in everywhere or not top), each.schema)
    required = set(schema.get("required", ()))
    for name, inner in schema.get("properties", {}).items():
        path = f"{above}.{name}" if above else name
        yield Entry(path, _types(inner), name in required, inner)
        yield from _within(inner, path, defined, depth + 1)
    if isinstance(schema.get("items"), dict):
        yield from _within(schema["items"], f"{above}[]", defined, depth + 1)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _within(schema["additionalProperties"], f"{above}.*" if above else "*", defined, depth + 1)


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    known = schema.get("type")
    if known is None:
        return ("object",) if "$ref" in schema or "properties" in schema or "oneOf" in schema else ()
    return (known,) if isinstance(known, str) else tuple(sorted(known))
