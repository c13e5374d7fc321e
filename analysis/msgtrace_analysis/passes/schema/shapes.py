"""What JSON values had in common: a summary that is made of whole columns of values and merges with another. Pure.

`merge` is associative and commutative, so that any order and any division of the samples gives the same summary, and
memory is bounded by the shape of the data rather than by its amount: objects with very many field names are taken for
maps, values are told apart while they are few.

Values are taken in by columns because that is where the time goes: the objects of a column are grouped by their names, and
each group is turned into columns by the interpreter's own loops (docs/decisions/0009).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.schema.samples import Samples, by_names
from msgtrace_analysis.passes.schema.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgtrace_analysis.passes.schema.samples import Groups

MAX_FIELDS: Final = 200
"""An object with more names than this, over all samples, is a map: its names are data."""
MAX_DEPTH: Final = 32
"""What is nested deeper is only counted, as of any type."""
MAX_PLACES: Final = 6
"""Arrays longer than this are no tuples."""
MAX_TELLING: Final = 12
"""Values that can tell variants of an object apart."""
TELLING_CHARACTERS: Final = 40
TYPE: Final = "$type"
CUT: Final = "$cut"
"""Marks of `msgtrace.snapshot` in an in-process event's body: an object's class, and that something was left out."""

NAMES: Final = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
"""A decoded value's type -> JSON Schema's name for it."""


@dataclass(slots=True)
class Seen:
    """How often, and the order of the first and the last sample that it was in."""

    count: int
    first: int
    last: int

    def merge(self, other: Seen) -> None:
        """Take another in."""
        self.count += other.count
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)


@dataclass(slots=True)
class Numbers:
    """A range of numbers."""

    smallest: float
    largest: float


@dataclass(slots=True)
class Arrays:
    """What arrays had in common.

    Attributes:
        places: the values of each place while all arrays are of one length; then `items` is None.
        items: of all their items together.
    """

    shortest: int
    longest: int
    places: tuple[Shape, ...] | None
    items: Shape | None

    def merge(self, other: Arrays) -> None:
        """Take another summary in."""
        self.shortest, self.longest = min(self.shortest, other.shortest), max(self.longest, other.longest)
        if self.places is not None and other.places is not None and len(self.places) == len(other.places):
            for mine, theirs in zip(self.places, other.places, strict=True):
                mine.merge(theirs)
            return
        self.items = merged_all((self.all_items(), other.all_items()))
        self.places = None

    def all_items(self) -> Shape:
        """The items together. Uses up the places."""
        return merged_all(self.places) if self.places is not None else self.items or Shape()


Telling = dict[str, Counter[str]]
"""Value of a field -> the names in objects that have it, and how often."""


@dataclass(slots=True)
class Objects:
    """What objects had in common.

    Attributes:
        fields: by name; None when they are a map.
        values: of all fields of a map.
        telling: fields with few values, which may say which fields an object has; None for those with more. Only of what
            is no map.
    """

    count: int = 0
    fields: dict[str, Shape] | None = field(default_factory=dict)
    values: Shape | None = None
    telling: dict[str, Telling | None] = field(default_factory=dict)

    def merge(self, other: Objects) -> None:
        """Take another summary in."""
        self.count += other.count
        if other.fields is None:
            self.become_map()
            if other.values is not None:
                self.values = merged_all((self.values, other.values) if self.values else (other.values,))
            return
        if self.fields is None:
            self.values = merged_all((*([self.values] if self.values else ()), *other.fields.values()))
            return
        for name, shape in other.fields.items():
            mine = self.fields.get(name)
            if mine is None:
                self.fields[name] = shape
            else:
                mine.merge(shape)
        for name, telling in other.telling.items():
            self.tell(name, telling)
        self.limit()

    def tell(self, name: str, telling: Telling | None) -> None:
        """Note how a field's values go with other fields."""
        if telling is None or self.telling.get(name, ()) is None:
            self.telling[name] = None
            return
        known: Telling = self.telling.setdefault(name, {})  # type: ignore[assignment]  # None was looked for
        for value, names in telling.items():
            known.setdefault(value, Counter()).update(names)
        if len(known) > MAX_TELLING:
            self.telling[name] = None

    def limit(self) -> None:
        """Take it for a map when it has too many names."""
        if self.fields is not None and len(self.fields) > MAX_FIELDS:
            self.become_map()

    def become_map(self) -> None:
        """Forget names."""
        if self.fields is None:
            return
        if self.fields:
            self.values = merged_all(self.fields.values())
        self.fields = None
        self.telling = {}


@dataclass(slots=True)
class Shape:
    """A summary of values that stood in the same place.

    Attributes:
        count: how many.
        types: by JSON Schema's type name; `any` for what is nested too deep.
        cut: objects and arrays that something was left out of.
        classes: names of Python classes whose objects stood here.
        recursive: the objects here are like the one that this stands in, and were added to it; set by `judgement`.
    """

    count: int = 0
    types: dict[str, Seen] = field(default_factory=dict)
    objects: Objects | None = None
    arrays: Arrays | None = None
    texts: Texts | None = None
    numbers: Numbers | None = None
    cut: int = 0
    classes: frozenset[str] = frozenset()
    recursive: bool = False

    def add(
        self, values: Sequence[Any], samples: Samples | Sequence[int], *, marked: bool = False, depth: int = 0
    ) -> None:
        """Count a column of values, of the types that a JSON decoder makes.

        Args:
            values: the values.
            samples: that each is from, or their orders; as many.
            marked: `$type` and `$cut` are marks of ours and not the program's fields.
            depth: how deep in a sample they stand.
        """
        if not values:
            return
        if not isinstance(samples, Samples):
            samples = Samples.of(samples)
        self.count += len(values)
        if depth > MAX_DEPTH:
            self._see("any", samples)
            return
        kinds = set(map(type, values))
        if len(kinds) == 1:
            self._add_of(NAMES[kinds.pop()], values, samples, marked=marked, depth=depth)
            return
        for kind in kinds:
            places = [place for place, value in enumerate(values) if type(value) is kind]
            of = [values[place] for place in places]
            self._add_of(NAMES[kind], of, samples.at(places), marked=marked, depth=depth)

    def _see(self, name: str, samples: Samples) -> None:
        known = self.types.get(name)
        if known is None:
            self.types[name] = Seen(len(samples.orders), samples.first, samples.last)
        else:
            known.merge(Seen(len(samples.orders), samples.first, samples.last))

    def _add_of(self, name: str, values: Sequence[Any], samples: Samples, *, marked: bool, depth: int) -> None:
        self._see(name, samples)
        match name:
            case "string":
                if self.texts is None:
                    self.texts = Texts()
                self.texts.add(values)
            case "integer" | "number":
                self._range(Numbers(min(values), max(values)))
            case "object":
                self._add_objects(values, samples, marked=marked, depth=depth)
            case "array":
                self._add_arrays(values, samples, marked=marked, depth=depth)

    def _range(self, other: Numbers) -> None:
        if self.numbers is None:
            self.numbers = Numbers(other.smallest, other.largest)
        else:
            self.numbers.smallest = _lower(self.numbers.smallest, other.smallest)
            self.numbers.largest = -_lower(-self.numbers.largest, -other.largest)

    def _add_arrays(self, values: Sequence[Any], samples: Samples, *, marked: bool, depth: int) -> None:
        if marked:
            values = [self._without_marks(each) for each in values]
        lengths = set(map(len, values))
        made = Arrays(min(lengths), max(lengths), None, None)
        if len(lengths) == 1 and 0 < made.longest <= MAX_PLACES:
            made.places = tuple(Shape() for _ in range(made.longest))
            for place, column in zip(made.places, zip(*values, strict=True), strict=True):
                place.add(column, samples, marked=marked, depth=depth + 1)
        else:
            made.items = Shape()
            flat = list(chain.from_iterable(values))
            made.items.add(flat, samples.of_parts(values), marked=marked, depth=depth + 1)
        if self.arrays is None:
            self.arrays = made
        else:
            self.arrays.merge(made)

    def _without_marks(self, array: list[Any]) -> list[Any]:
        kept = [each for each in array if not (type(each) is dict and CUT in each and TYPE not in each)]
        self.cut += len(array) - len(kept)
        return kept

    def _add_objects(self, values: Sequence[Any], samples: Samples, *, marked: bool, depth: int) -> None:
        if marked:
            values = self._unmarked(values)
        groups = by_names(values)
        made = Objects(len(values))
        if len(set().union(*groups)) > MAX_FIELDS:
            made.fields, made.values = None, Shape()
            flat = list(chain.from_iterable(value.values() for value in values))
            made.values.add(flat, samples.of_parts(values), marked=marked, depth=depth + 1)
        else:
            made.fields = _columns(values, samples, groups, marked=marked, depth=depth + 1)
            _tell(made, values, groups)
        if self.objects is None:
            self.objects = made
        else:
            self.objects.merge(made)

    def _unmarked(self, values: Sequence[Any]) -> list[Any]:
        for value in values:
            if CUT in value:
                self.cut += 1
            if type(value.get(TYPE)) is str:
                self.classes |= {value[TYPE]}
        return [{name: each for name, each in value.items() if name not in {TYPE, CUT}} for value in values]

    def merge(self, other: Shape) -> None:
        """Take another summary in; `other` must not be used afterwards."""
        self.count += other.count
        for name, seen in other.types.items():
            known = self.types.get(name)
            if known is None:
                self.types[name] = seen
            else:
                known.merge(seen)
        self.classes |= other.classes
        self.cut += other.cut
        self.recursive |= other.recursive
        if other.numbers is not None:
            self._range(other.numbers)
        for name in ("texts", "arrays", "objects"):
            theirs, mine = getattr(other, name), getattr(self, name)
            if theirs is not None:
                if mine is None:
                    setattr(self, name, theirs)
                else:
                    mine.merge(theirs)

    def names(self) -> list[str]:
        """The type names, sorted; `integer` goes without saying where there are fractions too."""
        found = set(self.types)
        if "number" in found:
            found.discard("integer")
        return sorted(found)

    def of(self, name: str) -> int:
        """How many values of a type."""
        seen = self.types.get(name)
        return 0 if seen is None else seen.count


def _lower(one: float, other: float) -> float:
    """The lower of two numbers; of equal ones the whole one, so that the order of merging does not show."""
    if one == other:
        return one if type(one) is int else other
    return min(one, other)


def _columns(
    values: Sequence[dict[str, Any]], samples: Samples, groups: Groups, *, marked: bool, depth: int
) -> dict[str, Shape]:
    """A summary of each field of objects, which are grouped by their names."""
    fields: dict[str, Shape] = {}
    if len(groups) == 1:
        (names,) = groups
        for name, column in zip(names, zip(*map(dict.values, values), strict=True), strict=False):
            fields[name] = shape = Shape()
            shape.add(column, samples, marked=marked, depth=depth)
        return fields
    columns: dict[str, tuple[list[Any], list[int]]] = {}
    for names, places in groups.items():
        rows = [values[place] for place in places]
        for name, column in zip(
            names, zip(*map(dict.values, rows), strict=True), strict=False
        ):  # of objects without names there is no row
            whole = columns.setdefault(name, ([], []))
            whole[0].extend(column)
            whole[1].extend(places)
    for name, (column_values, column_places) in columns.items():
        fields[name] = shape = Shape()
        shape.add(column_values, samples.at(column_places), marked=marked, depth=depth)
    return fields


def _tell(
    made: Objects,
    values: Sequence[dict[str, Any]],
    groups: Groups,
) -> None:
    """Note, of every field that is always one of few texts, which fields go with which of them; None of any other."""
    for name, shape in (made.fields or {}).items():
        texts = shape.texts
        if (
            texts is None
            or len(shape.types) > 1
            or texts.values is None
            or len(texts.values) > MAX_TELLING
            or texts.longest > TELLING_CHARACTERS
        ):
            made.telling[name] = None
        elif len(groups) == 1:
            together = next(iter(groups))
            made.telling[name] = {value: Counter(dict.fromkeys(together, n)) for value, n in texts.values.items()}
        else:
            rows: dict[str, list[dict[str, Any]]] = {}
            for value in values:
                if name in value:
                    rows.setdefault(value[name], []).append(value)
            made.telling[name] = {value: Counter(chain.from_iterable(some)) for value, some in rows.items()}


def merged_all(shapes: Iterable[Shape]) -> Shape:
    """One summary of all; they must not be used afterwards."""
    whole = Shape()
    for shape in shapes:
        whole.merge(shape)
    return whole
