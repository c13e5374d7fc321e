"""Versions of a body: which there were, and what the step to each is for readers and writers of the one before. Pure.

In the sense of Avro's schema resolution and Confluent's registry: `backward`, the new schema reads data of the old one;
`forward`, the old schema reads data of the new one. Readers ignore fields that they don't know, as JSON's do, and have no
defaults, for none were seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgtrace_analysis.findings import Verdict
    from msgtrace_analysis.passes.schema.shapes import Arrays, Objects, Shape

CHANCE: Final = 0.01
"""Probability up to which a difference between two versions is none of chance, of all that is compared together."""


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
    limit = CHANCE / max(1, _places(old), _places(new))
    return (each.change for each in differences(old, new, limit=limit) if each.chance <= limit)


def _places(shape: Shape) -> int:
    """At how many places a shape says what stands there: so often chance has its chance (Bonferroni)."""
    found = 1
    if shape.objects is not None:
        values = () if shape.objects.values is None else (shape.objects.values,)
        found += sum(map(_places, values if shape.objects.fields is None else shape.objects.fields.values()))
    if shape.arrays is not None:
        items = () if shape.arrays.items is None else (shape.arrays.items,)
        found += sum(map(_places, shape.arrays.places or items))
    return found


def differences(
    old: Shape, new: Shape, path: str = "", unseen: Unseen = at_its_rate, limit: float = CHANCE
) -> Iterator[Contrast]:
    """All that is different in the newer of two settled shapes.

    With the shapes exchanged it is the same differences, seen from the other side. Types that came or went by more than
    `limit` are told one by one.
    """
    yield from _types(old, new, path, unseen, limit)
    if old.objects is not None and new.objects is not None:
        whole = (
            old.objects.count - min(old.cut, old.objects.count),
            new.objects.count - min(new.cut, new.objects.count),
        )
        yield from _fields(old.objects, new.objects, whole, path, unseen, limit)
    if old.arrays is not None and new.arrays is not None:
        yield from _arrays(old.arrays, new.arrays, path, unseen, limit)


def _arrays(old: Arrays, new: Arrays, path: str, unseen: Unseen, limit: float) -> Iterator[Contrast]:
    if old.items is not None and new.items is not None and old.items.count and new.items.count:
        yield from differences(old.items, new.items, f"{path}[]", unseen, limit)
    elif old.places is not None and new.places is not None and len(old.places) == len(new.places):
        for place, (before, after) in enumerate(zip(old.places, new.places, strict=True)):
            yield from differences(before, after, f"{path}[{place}]", unseen, limit)


def _fields(
    old: Objects, new: Objects, whole: tuple[int, int], path: str, unseen: Unseen, limit: float
) -> Iterator[Contrast]:
    if old.fields is None or new.fields is None:
        if old.values is not None and new.values is not None:
            yield from differences(old.values, new.values, f"{path}.*" if path else "*", unseen, limit)
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
            yield from differences(before, after, here, unseen, limit)


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


def _types(old: Shape, new: Shape, path: str, unseen: Unseen, limit: float) -> Iterator[Contrast]:
    gone = {name: unseen(old.of(name), old.count, new.count) for name in _kinds(old) - _kinds(new)}
    came = {name: unseen(new.of(name), new.count, old.count) for name in _kinds(new) - _kinds(old)}
    lost, gained = ({name for name, of in each.items() if of <= limit} for each in (gone, came))
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
