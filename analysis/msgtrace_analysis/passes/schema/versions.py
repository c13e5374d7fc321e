"""Versions of a body: which there were, and what the step to each is for readers and writers of the one before. Pure.

In the sense of Avro's schema resolution and Confluent's registry: `backward`, the new schema reads data of the old one;
`forward`, the old schema reads data of the new one. Readers ignore fields that they don't know, as JSON's do, and have no
defaults, for none were seen.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Change
from msgtrace_analysis.passes.schema.samples import by_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from msgtrace_analysis.findings import Verdict
    from msgtrace_analysis.passes.schema.shapes import Arrays, Objects, Shape

NAMES: Final = ("schema_version", "event_version", "message_version", "data_version", "version", "ver", "v")
"""Fields that say a body's version, without case and separators; the most telling first."""
OWN_VERSIONS: Final = frozenset({"version", "ver", "v"})
"""Of these, those that may count something else than versions of the schema: believed when the bodies differ with them."""
MAX_VERSIONS: Final = 8
"""More values than this are no versions of a schema."""
CHANCE: Final = 0.01
"""Probability up to which a difference between two versions is none of chance."""
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


Unseen = Callable[[int, int, int], float]
"""The probability that what is in `hits` of `of` samples is in none of `samples` others, if nothing is different."""


def at_its_rate(hits: int, of: int, samples: int) -> float:
    """`Unseen`, taking what is in the samples for what is in all: for versions that bodies themselves tell apart."""
    return (1 - hits / of) ** samples if of and samples else 1.0


@dataclass(frozen=True, slots=True)
class Contrast:
    """A change, and how likely chance shows as much; `before` and `after` say in a few words what was seen."""

    change: Change
    chance: float
    before: str
    after: str


def changes(old: Shape, new: Shape) -> Iterator[Change]:
    """What is different in the newer of two settled shapes, beyond what chance may show."""
    return (each.change for each in differences(old, new) if each.chance <= CHANCE)


def differences(old: Shape, new: Shape, path: str = "", unseen: Unseen = at_its_rate) -> Iterator[Contrast]:
    """All that is different in the newer of two settled shapes.

    With the shapes exchanged it is the same differences, seen from the other side.
    """
    yield from _types(old, new, path, unseen)
    if old.objects is not None and new.objects is not None:
        whole = (
            old.objects.count - min(old.cut, old.objects.count),
            new.objects.count - min(new.cut, new.objects.count),
        )
        yield from _fields(old.objects, new.objects, whole, path, unseen)
    if old.arrays is not None and new.arrays is not None:
        yield from _arrays(old.arrays, new.arrays, path, unseen)


def _arrays(old: Arrays, new: Arrays, path: str, unseen: Unseen) -> Iterator[Contrast]:
    if old.items is not None and new.items is not None and old.items.count and new.items.count:
        yield from differences(old.items, new.items, f"{path}[]", unseen)
    elif old.places is not None and new.places is not None and len(old.places) == len(new.places):
        for place, (before, after) in enumerate(zip(old.places, new.places, strict=True)):
            yield from differences(before, after, f"{path}[{place}]", unseen)


def _fields(old: Objects, new: Objects, whole: tuple[int, int], path: str, unseen: Unseen) -> Iterator[Contrast]:
    if old.fields is None or new.fields is None:
        if old.values is not None and new.values is not None:
            yield from differences(old.values, new.values, f"{path}.*" if path else "*", unseen)
        return
    for name in sorted(old.fields.keys() | new.fields.keys()):
        here = f"{path}.{name}" if path else name
        before, after = old.fields.get(name), new.fields.get(name)
        had, has = 0 if before is None else before.count, 0 if after is None else after.count
        found = _presence(had, old.count, has, new.count)
        if found is not None:
            what, reads, side = found
            # Of what is cut nobody knows which fields it lacks.
            chance = (
                unseen(has, new.count, whole[0]),
                unseen(had, old.count, whole[1]),
                unseen(max(0, whole[1] - has), new.count, old.count),
                unseen(max(0, whole[0] - had), old.count, new.count),
            )[side]
            yield Contrast(Change(here, what, reads), chance, f"{had} of {old.count}", f"{has} of {new.count}")
        if before is not None and after is not None:
            yield from differences(before, after, here, unseen)


def _presence(had: int, of_old: int, has: int, of_new: int) -> tuple[str, Verdict, int] | None:
    """What became of a field: that it came, went, is not always there any more, is always there now."""
    if not had and has:
        return ("required field added", "forward", 0) if has == of_new else ("optional field added", "full", 0)
    if not has and had:
        return ("required field removed", "backward", 1) if had == of_old else ("optional field removed", "full", 1)
    if had == of_old and has < of_new:
        return "field made optional", "backward", 2
    if has == of_new and had < of_old:
        return "field made required", "forward", 3
    return None


def _types(old: Shape, new: Shape, path: str, unseen: Unseen) -> Iterator[Contrast]:
    gone = {name: unseen(old.of(name), old.count, new.count) for name in _kinds(old) - _kinds(new)}
    came = {name: unseen(new.of(name), new.count, old.count) for name in _kinds(new) - _kinds(old)}
    lost, gained = ({name for name, of in each.items() if of <= CHANCE} for each in (gone, came))
    chance = max((each[name] for each, names in ((gone, lost), (came, gained)) for name in names), default=0.0)
    were, are = _words(_kinds(old)), _words(_kinds(new))
    found: tuple[str, Verdict] | None = None
    if gained == {"number"} and lost <= {"integer"} and "integer" in _kinds(old):
        found = "integer became number", "backward"
    elif lost == {"number"} and gained <= {"integer"} and "integer" in _kinds(new):
        found = "number became integer", "forward"
    elif gained and lost:
        found = f"{_words(lost)} became {_words(gained)}", "none"
    elif gained:
        found = f"may be {_words(gained)} too", "backward"
    elif lost:
        found = f"is {_words(lost)} no more", "forward"
    if found is not None:
        yield Contrast(Change(path, *found), chance, were, are)
    for name in sorted(came.keys() - gained):
        yield Contrast(Change(path, f"may be {name} too", "backward"), came[name], were, are)
    for name in sorted(gone.keys() - lost):
        yield Contrast(Change(path, f"is {name} no more", "forward"), gone[name], were, are)


def _kinds(shape: Shape) -> set[str]:
    return set(shape.names())


def _words(names: Iterable[str]) -> str:
    return " or ".join(sorted(names))


def verdict(found: Iterable[Change]) -> Verdict:
    """What some changes leave together."""
    return together(change.reads for change in found)


def together(reads: Iterable[Verdict]) -> Verdict:
    """What is left of the two directions by changes that each leave this much."""
    left: set[Verdict] = {each for each in reads if each != "full"}
    if not left:
        return "full"
    return left.pop() if len(left) == 1 else "none"
