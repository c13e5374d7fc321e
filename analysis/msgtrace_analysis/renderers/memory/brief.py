"""Says findings in few characters, for memory files: a place, what a body has, what proves something. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.markdown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from msgtrace_analysis.findings import Contract, Evidence, Field, Latency, Place

LISTED: Final = 40
"""Of a list: what is beyond is counted."""
CHARACTERS: Final = 200
"""Of a text: what is beyond is cut, with an ellipsis."""


def short(value: str) -> str:
    """A text without what can't be seen, and not too long."""
    return visible(value, CHARACTERS)


def some(values: Iterable[str], characters: int = CHARACTERS) -> list[str]:
    """The first of them, each once, and how many more there are."""
    known = list(dict.fromkeys(visible(each, characters) for each in values))
    return known if len(known) <= LISTED else [*known[:LISTED], f"and {len(known) - LISTED} more"]


def lean(entry: Any) -> Any:
    """An entry without keys that have nothing to say: nothing, and empty lists and objects.

    >>> lean({"a": None, "b": [], "c": 0, "d": {"e": ""}, "f": [{"g": None}]})
    {'c': 0, 'f': [{}]}
    """
    if isinstance(entry, list):
        return [lean(each) for each in entry]
    if not isinstance(entry, dict):
        return entry
    kept = {name: lean(each) for name, each in entry.items()}
    return {name: each for name, each in kept.items() if each is not None and each not in ("", [], {})}


def times(value: Latency | None) -> str | None:
    """Percentiles in one text."""
    if value is None:
        return None
    return f"p50 {value.p50_ms:.3g}, p95 {value.p95_ms:.3g}, p99 {value.p99_ms:.3g} ms of {value.messages}"


def proof(value: Evidence) -> dict[str, Any]:
    """What a finding rests on."""
    return {"operations": value.operations, "examples": list(value.examples[:2]), "certainty": value.certainty}


def where(value: Place) -> str:
    """A place in one text: `web: place_order (app/orders.py:41)`."""
    name = value.name or ("" if value.site else value.kind)
    site = f"({value.site})" if value.site and name else value.site
    return short(f"{value.service}: {' '.join(part for part in (name, site) if part)}")


def body(contract: Contract | None) -> dict[str, str]:
    """Fields by path: types, how often they are there, and what is known of their values."""
    if contract is None:
        return {}
    fields = {short(each.path): _field(each) for each in contract.fields[:LISTED]}
    more = len(contract.fields) - LISTED
    return fields | ({"...": f"{more} more"} if more > 0 else {})


def _field(value: Field) -> str:
    types = " or ".join(value.types)
    known = [f"{types} ({value.format})" if value.format else types]
    known.append(f"in all {value.of}" if value.present == value.of else f"in {value.present} of {value.of}")
    if value.nulls and value.types != ("null",):
        known.append(f"null in {value.nulls}")
    if value.values:
        known.append(
            f"one of {', '.join(value.values)} ({value.closed})" if value.closed else f"seen: {', '.join(value.values)}"
        )
    if value.role:
        known.append(value.role)
    return short("; ".join(known))


def settings(forms: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Settings without what is off."""
    return [
        {
            name: short(each) if isinstance(each, str) else each
            for name, each in form.items()
            if each not in (None, False, "", {}, [])
        }
        for form in forms[:LISTED]
    ]
