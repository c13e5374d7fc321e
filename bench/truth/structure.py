"""What a body is made of, by specification; making bodies by it, and noting what they showed. Pure.

A path is that of `msgtrace_analysis.findings.Field`: `items[].sku`, `prices.*` for a map's values; `place[0]` is the first
item of a tuple.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from random import Random

    from bench.truth.values import Maker


EXAMPLES: Final = 6


@dataclass(slots=True)
class Shown:
    """What the bodies of one event type showed, so that nothing is asked that no sample shows.

    Attributes:
        objects: path of a record -> how many there were.
        present: path of a field -> in how many of them it was.
        values: path -> how many values stood there, null not counted.
        types: path -> JSON Schema's type names, without `integer` where there is `number`.
        texts: path -> how often it had which text.
        others: path -> some values that are no texts.
        arms: path of a variant -> its discriminator's value -> fields that were seen.
    """

    objects: Counter[str] = field(default_factory=Counter)
    present: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    types: dict[str, set[str]] = field(default_factory=dict)
    texts: dict[str, Counter[str]] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    arms: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def note(self, path: str, value: Any) -> None:
        """A value that stands somewhere."""
        self.types.setdefault(path, set()).add(_type(value))
        self.values[path] += value is not None
        if isinstance(value, str):
            self.texts.setdefault(path, Counter())[value] += 1
        elif isinstance(value, int | float) and len(kept := self.others.setdefault(path, [])) < EXAMPLES:
            kept.append(str(value))


def _type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number or boolean.

    Attributes:
        format: that all its values have by specification; `either` where it would be a matter of taste.
        closed: the values that a program chooses from.
        open_ended: false where its values are so few that calling them a closed set is a matter of taste.
    """

    make: Maker
    format: str = ""
    closed: tuple[str, ...] = ()
    open_ended: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a record: how often it is there, how often null."""

    name: str
    node: Node
    presence: float = 1.0
    nulls: float = 0.0


@dataclass(frozen=True, slots=True)
class Record:
    """An object whose names are part of its contract."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """An object whose names are data."""

    keys: Maker
    values: Node


@dataclass(frozen=True, slots=True)
class Array:
    """Items of one kind."""

    items: Node
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Tuple:
    """Items each with a meaning of its own."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Union:
    """One of several types, at most one of them an object."""

    arms: tuple[Node, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Variants:
    """Records of different fields, told apart by the value of one that all have."""

    discriminator: str
    arms: tuple[tuple[str, Record], ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A record that contains its like: a list of them under `link`, or one or null."""

    record: Record
    link: str
    many: bool


Node: TypeAlias = Scalar | Record | Map | Array | Tuple | Union | Variants | Tree


def below(path: str, name: str) -> str:
    """The path of a field."""
    return f"{path}.{name}" if path else name


def sample(node: Node, rng: Random, path: str, shown: Shown, depth: int = 0) -> Any:
    """Make a value of a node, and note it."""
    match node:
        case Record():
            value: Any = _record(node, rng, path, shown)
        case Variants():
            name, record = rng.choices(node.arms, node.weights)[0]
            value = {node.discriminator: name} | _record(record, rng, path, shown)
            shown.present[below(path, node.discriminator)] += 1
            shown.note(below(path, node.discriminator), name)
            shown.arms.setdefault(path, {}).setdefault(name, set()).update(value)
        case Map():
            keys = {node.keys(rng) for _ in range(rng.randint(1, 6))}
            value = {key: sample(node.values, rng, f"{path}.*", shown) for key in sorted(keys)}
        case Array():
            value = [sample(node.items, rng, f"{path}[]", shown) for _ in range(rng.randint(node.low, node.high))]
        case Tuple():
            value = [sample(each, rng, f"{path}[{place}]", shown) for place, each in enumerate(node.items)]
        case Union():
            return sample(rng.choices(node.arms, node.weights)[0], rng, path, shown)
        case Tree():
            value = _tree(node, rng, path, shown, depth)
        case Scalar():
            value = node.make(rng)
    shown.note(path, value)
    return value


def _record(node: Record, rng: Random, path: str, shown: Shown) -> dict[str, Any]:
    shown.objects[path] += 1
    value: dict[str, Any] = {}
    for part in node.parts:
        if rng.random() >= part.presence:
            continue
        here = below(path, part.name)
        shown.present[here] += 1
        if rng.random() < part.nulls:
            value[part.name] = None
            shown.note(here, None)
        else:
            value[part.name] = sample(part.node, rng, here, shown)
    return value


def _tree(node: Tree, rng: Random, path: str, shown: Shown, depth: int) -> dict[str, Any]:
    value = _record(node.record, rng, path, shown)
    here = below(path, node.link)
    shown.present[here] += 1
    if node.many:
        many = rng.randint(0, 2) if depth < 3 else 0
        value[node.link] = [sample(node, rng, f"{here}[]", shown, depth + 1) for _ in range(many)]
    else:
        deeper = depth < 4 and rng.random() < 0.6
        value[node.link] = sample(node, rng, here, shown, depth + 1) if deeper else None
    if node.many or value[node.link] is None:
        shown.note(here, value[node.link])
    return value
