"""Reads which version of its schema a body says that it is of, or a header beside it. Pure."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.schema.samples import by_names

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES: Final = ("schema_version", "event_version", "message_version", "data_version", "version", "ver", "v")
"""Fields that say a body's version, without case and separators; the most telling first."""
OWN_VERSIONS: Final = frozenset({"version", "ver", "v"})
"""Of these, those that may count something else than versions of the schema: believed when the bodies differ with them."""
MAX_VERSIONS: Final = 8
"""More values than this are no versions of a schema."""
LARGEST: Final = 10_000
"""No version is a number so large."""
LONGEST: Final = 16
"""No name of such a field is longer."""
_VALUE = re.compile(r"v?\d{1,4}(?:\.\d{1,4}){0,2}", re.IGNORECASE)
_SQUASHED: Final = tuple(name.replace("_", "") for name in NAMES)


HEADERS: Final = (
    "dataschema",  # CloudEvents: https://github.com/cloudevents/spec, an attribute in every binding
    "valueschemaid",  # Confluent's, for the value of a Kafka record
    "schemaversion", "eventversion", "messageversion", "dataversion", "version",
)  # fmt: skip
"""Headers that say a body's version, without case, separators, and `x-`, `ce-` or `cloudEvents:`; the most telling first."""


def preferred(header: tuple[str, str] | None, field: tuple[str, str] | None) -> tuple[str, str] | None:
    """What is believed of a header and a field that say a version.

    A header, for it is there to be read before the body is; but not one that may count something else.
    """
    if header is None or (field is not None and may_count_something_else(header[0])):
        return field
    return header


def may_count_something_else(said_by: str) -> bool:
    """Whether what says a version (`field version`, `header x-version`) may be of something else than the schema."""
    name = said_by.partition(" ")[2].lower().replace("_", "").replace("-", "")
    return name.removeprefix("x") in OWN_VERSIONS


def version_said(body: Any) -> tuple[str, str] | None:
    """What of a decoded body says its version, as `field schema_version`, and the version; None where nothing does."""
    if type(body) is not dict:
        return None
    for name in _candidates(tuple(body)):
        value = body[name]
        kind = type(value)
        if (kind is int and 0 <= value < LARGEST) or (kind is str and _VALUE.fullmatch(value)):
            return f"field {name}", str(value)
    return None


def versions_said(bodies: Sequence[Any]) -> list[tuple[str, str] | None]:
    """What `version_said` says of each of some bodies: of those with the same names, each value is judged once."""
    found: list[tuple[str, str] | None] = [None] * len(bodies)
    objects = [place for place, body in enumerate(bodies) if type(body) is dict]
    for names, among in by_names([bodies[place] for place in objects]).items() if objects else ():
        candidates = _candidates(names)
        if not candidates:
            continue
        places = [objects[each] for each in among]
        values = [bodies[place][candidates[0]] for place in places]
        said: dict[Any, tuple[str, str] | None] = {}
        if set(map(type, values)) in ({int}, {str}):  # else those that are equal may not be the same
            said = {value: version_said({candidates[0]: value}) for value in set(values)}
        if said and None not in said.values():
            for place, value in zip(places, values, strict=True):
                found[place] = said[value]
        else:
            for place in places:
                found[place] = version_said(bodies[place])
    return found


@functools.lru_cache(maxsize=4_096)
def _candidates(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names among those of an object that may say a version; the most telling first."""
    squashed = {name: name.lower().replace("_", "").replace("-", "") for name in names if len(name) <= LONGEST}
    return tuple(
        sorted((n for n, each in squashed.items() if each in _SQUASHED), key=lambda n: _SQUASHED.index(squashed[n]))
    )
