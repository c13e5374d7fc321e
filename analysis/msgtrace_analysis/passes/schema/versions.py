"""Versions of a body: which there were, and what the step to each is for readers and writers of the one before. Pure.

In the sense of Avro's schema resolution and Confluent's registry: `backward`, the new schema reads data of the old one;
`forward`, the old schema reads data of the new one. Readers ignore fields that they don't know, as JSON's do, and have no
defaults, for none were seen.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgtrace_analysis.findings import Verdict
    from msgtrace_analysis.passes.schema.shapes import Objects, Shape

NAMES: Final = ("schema_version", "event_version", "message_version", "data_version", "version", "ver", "v")
"""Fields that say a body's version, without case and separators; the most telling first."""
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


def version_said(body: Any) -> tuple[str, str] | None:
    """The field of a decoded body that says its version, and the version; None where none does."""
    if type(body) is not dict:
        return None
    for name in _candidates(tuple(body)):
        value = body[name]
        kind = type(value)
        if (kind is int and 0 <= value < LARGEST) or (kind is str and _VALUE.fullmatch(value)):
            return name, str(value)
    return None


@functools.lru_cache(maxsize=4_096)
def _candidates(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names among those of an object that may say a version; the most telling first."""
    squashed = {name: name.lower().replace("_", "").replace("-", "") for name in names if len(name) <= LONGEST}
    return tuple(
        sorted((n for n, each in squashed.items() if each in _SQUASHED), key=lambda n: _SQUASHED.index(squashed[n]))
    )


def changes(old: Shape, new: Shape, path: str = "") -> Iterator[Change]:
    """What is different in the newer of two settled shapes, beyond what chance may show."""
    yield from _types(old, new, path)
    if old.objects is not None and new.objects is not None:
        yield from _fields(old.objects, new.objects, path)
    old_items = None if old.arrays is None else old.arrays.items
    new_items = None if new.arrays is None else new.arrays.items
    if old_items is not None and new_items is not None and old_items.count and new_items.count:
        yield from changes(old_items, new_items, f"{path}[]")


def _fields(old: Objects, new: Objects, path: str) -> Iterator[Change]:
    if old.fields is None or new.fields is None:
        if old.values is not None and new.values is not None:
            yield from changes(old.values, new.values, f"{path}.*" if path else "*")
        return
    for name in sorted(old.fields.keys() | new.fields.keys()):
        here = f"{path}.{name}" if path else name
        before, after = old.fields.get(name), new.fields.get(name)
        was, is_now = _presence(before, old.count), _presence(after, new.count)
        if was == 0 and _no_chance(is_now, old.count):
            yield Change(
                here, *(("required field added", "forward") if is_now == 1 else ("optional field added", "full"))
            )
        elif is_now == 0 and _no_chance(was, new.count):
            yield Change(
                here, *(("required field removed", "backward") if was == 1 else ("optional field removed", "full"))
            )
        elif was == 1 > is_now and _no_chance(1 - is_now, old.count):
            yield Change(here, "field made optional", "backward")
        elif is_now == 1 > was and _no_chance(1 - was, new.count):
            yield Change(here, "field made required", "forward")
        if before is not None and after is not None:
            yield from changes(before, after, here)


def _presence(shape: Shape | None, of: int) -> float:
    return 0.0 if shape is None or not of else shape.count / of


def _no_chance(rate: float, samples: int) -> bool:
    """Whether something of a rate would have been seen in some samples, if it were there."""
    return (1 - rate) ** samples <= CHANCE if samples else False


def _types(old: Shape, new: Shape, path: str) -> Iterator[Change]:
    lost = {name for name in _kinds(old) - _kinds(new) if _no_chance(old.of(name) / old.count, new.count)}
    gained = {name for name in _kinds(new) - _kinds(old) if _no_chance(new.of(name) / new.count, old.count)}
    if gained == {"number"} and lost <= {"integer"} and "integer" in _kinds(old):
        yield Change(path, "integer became number", "backward")
    elif lost == {"number"} and gained <= {"integer"} and "integer" in _kinds(new):
        yield Change(path, "number became integer", "forward")
    elif gained and lost:
        yield Change(path, f"{_words(lost)} became {_words(gained)}", "none")
    elif gained:
        yield Change(path, f"may be {_words(gained)} too", "backward")
    elif lost:
        yield Change(path, f"is {_words(lost)} no more", "forward")


def _kinds(shape: Shape) -> set[str]:
    return set(shape.names())


def _words(names: Iterable[str]) -> str:
    return " or ".join(sorted(names))


def verdict(found: Iterable[Change]) -> Verdict:
    """What some changes leave together."""
    reads: set[Verdict] = {change.reads for change in found if change.reads != "full"}
    if not reads:
        return "full"
    return reads.pop() if len(reads) == 1 else "none"
