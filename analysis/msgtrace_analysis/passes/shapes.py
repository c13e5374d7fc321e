"""What JSON values had in common: a summary that grows by one value at a time and merges with another. Pure.

`merge` is associative and commutative, so that any order and any division of the samples gives the same summary, and
memory is bounded by the shape of the data rather than by its amount: objects with very many field names are taken for
maps, examples are few and short.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

MAX_FIELDS: Final = 200
"""An object with more names than this, over all samples, is a map: its names are data."""
MAX_DEPTH: Final = 32
"""What is nested deeper is only counted, as of any type."""
MAX_EXAMPLES: Final = 3
EXAMPLE_CHARACTERS: Final = 40
TYPE: Final = "$type"
CUT: Final = "$cut"
"""Marks of `msgtrace.snapshot` in an in-process event's body: an object's class, and that something was left out."""

_EMAIL = re.compile(r"[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s<>\"']*[^@\s<>\"'.,;:)]")
_UUID = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F])")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{8,}[0-9]")


@dataclass(slots=True)
class Shape:
    """A summary of values that stood in the same place.

    Attributes:
        count: how many.
        types: JSON Schema's type name and how many; `any` for what is nested too deep.
        objects: of the objects, the fields by name; None when they are a map.
        values: of all fields of a map.
        items: of the arrays' items.
        classes: names of Python classes whose objects stood here.
        cut: objects and arrays that something was left out of.
        examples: JSON text, the shortest and first in order.
    """

    count: int = 0
    types: dict[str, int] = field(default_factory=dict)
    objects: dict[str, Shape] | None = field(default_factory=dict)
    values: Shape | None = None
    items: Shape | None = None
    classes: frozenset[str] = frozenset()
    cut: int = 0
    examples: tuple[str, ...] = ()

    def add(self, value: Any, *, marked: bool = False, depth: int = 0) -> None:
        """Count one value, of the types that a JSON decoder makes.

        Args:
            value: the value.
            marked: `$type` and `$cut` are marks of ours and not the program's fields.
            depth: how deep in a sample it stands.
        """
        name = "any" if depth > MAX_DEPTH else type_of(value)
        self.count += 1
        self.types[name] = self.types.get(name, 0) + 1
        if name == "object":
            self._add_object(value, marked=marked, depth=depth)
        elif name == "array":
            if self.items is None:
                self.items = Shape()
            for each in value:
                if marked and isinstance(each, dict) and CUT in each and TYPE not in each:
                    self.cut += 1
                else:
                    self.items.add(each, marked=marked, depth=depth + 1)
        elif name in {"string", "number", "integer", "boolean"}:
            self._keep(shown(value))

    def _add_object(self, value: dict[str, Any], *, marked: bool, depth: int) -> None:
        if marked and CUT in value:
            self.cut += 1
        if marked and isinstance(value.get(TYPE), str):
            self.classes |= {value[TYPE]}
        for name, each in value.items():
            if marked and name in {TYPE, CUT}:
                continue
            if self.objects is None:
                target = self.values = self.values or Shape()
            else:
                target = self.objects.setdefault(name, Shape())
            target.add(each, marked=marked, depth=depth + 1)
        self._limit()

    def merge(self, other: Shape) -> None:
        """Take another summary in; `other` must not be used afterwards."""
        self.count += other.count
        for name, count in other.types.items():
            self.types[name] = self.types.get(name, 0) + count
        self.classes |= other.classes
        self.cut += other.cut
        for example in other.examples:
            self._keep(example)
        if other.items is not None:
            self.items = _merged(self.items, other.items)
        if other.objects is None:
            self._become_map()
            if other.values is not None:
                self.values = _merged(self.values, other.values)
        else:
            for name, shape in other.objects.items():
                if self.objects is None:
                    self.values = _merged(self.values, shape)
                else:
                    self.objects[name] = _merged(self.objects.get(name), shape)
        self._limit()

    def _limit(self) -> None:
        if self.objects is not None and len(self.objects) > MAX_FIELDS:
            self._become_map()

    def _become_map(self) -> None:
        if self.objects is None:
            return
        for shape in self.objects.values():
            self.values = _merged(self.values, shape)
        self.objects = None

    def _keep(self, example: str) -> None:
        kept = self.examples
        if example in kept:
            return
        if len(kept) == MAX_EXAMPLES and (len(example), example) > (len(kept[-1]), kept[-1]):
            return
        self.examples = tuple(sorted((*kept, example), key=_shortest_first)[:MAX_EXAMPLES])


def _shortest_first(example: str) -> tuple[int, str]:
    return len(example), example


def _merged(mine: Shape | None, other: Shape) -> Shape:
    if mine is None:
        return other
    mine.merge(other)
    return mine


def type_of(value: Any) -> str:
    """JSON Schema's name for a decoded value's type.

    >>> type_of(True), type_of(1), type_of(1.0), type_of(None)
    ('boolean', 'integer', 'number', 'null')
    """
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def shown(value: Any) -> str:
    """An example of a value as JSON text: short, and personal data and ids only by their kind.

    >>> shown("ada@example.org"), shown("web"), shown(12)
    ('"<email>"', '"web"', '12')
    """
    return _shown_text(value) if isinstance(value, str) else json.dumps(value)


@functools.lru_cache(maxsize=4_096)
def _shown_text(value: str) -> str:
    if _MOMENT.fullmatch(value):
        return '"<date-time>"'
    if _PHONE.fullmatch(value):
        return '"<digits>"'
    # What is looked through is longer than what is shown, and bounded: a pattern must not end where the text is cut.
    masked = without_persons(value[: 4 * EXAMPLE_CHARACTERS])
    if len(masked) > EXAMPLE_CHARACTERS:
        masked = f"{masked[: EXAMPLE_CHARACTERS - 1]}…"
    return json.dumps(masked, ensure_ascii=False)


def without_persons(text: str) -> str:
    """A text in which e-mail addresses and UUIDs stand only by kind.

    >>> without_persons("user:2b99b25c-31d3-4937-ba9f-7d4e0d688012, mail to ada@example.org.")
    'user:<uuid>, mail to <email>.'
    """
    if "@" in text:
        text = _EMAIL.sub("<email>", text)
    return _UUID.sub("<uuid>", text) if text.count("-") >= 4 else text
