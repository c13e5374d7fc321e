"""A random specification of a body. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.truth import values
from bench.truth.structure import Array, Map, Part, Record, Scalar, Tree, Tuple, Union, Variants

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from bench.truth.structure import Node

PRESENCES: Final = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.7, 0.5, 0.2, 0.05)
NULLS: Final = (*(0.0,) * 24, *(0.3,) * 4, *(0.1,) * 4, 1.0)
NOUNS: Final = values.words(
    "amount total note reference code label origin target owner region tier unit weight height price tax fee points level "
    "reason source channel remark title summary line slot batch parcel route stop driver vehicle depot shelf aisle basket "
    "coupon offer plan seat ticket venue artist track album score rank round team player court judge claim policy premium"
)
TASTES: Final = frozenset({"country", "currency"})
"""Formats whose values are so few in one system that a closed set may be seen in them too."""
ENDINGS: Final = ("", "", "", "_id", "At", "_ref", "Code", "_no", "Name", "_2")


ODD: Final = 0.02
ODDITIES: Final = ("${}", "@{}", "{} of it", "{}/x", "~{}", "größe-{}", "{}?", "#{}")
"""Names that many programs don't expect; none with a dot or bracket, which paths are written with."""


def fresh_name(rng: Random, taken: Collection[str]) -> str:
    """A name for a field that its record does not have yet."""
    while True:
        name = rng.choice(NOUNS) + rng.choice(ENDINGS)
        if rng.random() < ODD:
            name = rng.choice(ODDITIES).format(name)
        if name not in taken:
            return name


def record(rng: Random, depth: int = 0, *, least: int = 3, most: int = 8, taken: Collection[str] = ()) -> Record:
    """A record of a few fields, at least one of which is always there."""
    names = set(taken)
    parts: list[Part] = []
    for place in range(rng.randint(least, most)):
        name = fresh_name(rng, names)
        names.add(name)
        parts.append(Part(name, node(rng, depth + 1), 1.0 if place == 0 else rng.choice(PRESENCES), rng.choice(NULLS)))
    return Record(tuple(parts))


def node(rng: Random, depth: int) -> Node:
    """Anything that may stand in a field."""
    if depth > 3 or rng.random() < 0.72:
        return scalar(rng)
    kind = rng.choices(
        ("record", "list", "records", "map", "tuple", "union", "variants", "tree", "flags", "sparse", "lists"),
        (5, 4, 3, 3, 2, 3, 3, 1.5, 1, 0.7, 0.7),
    )[0]
    match kind:
        case "record":
            return record(rng, depth, most=5)
        case "list":
            return Array(scalar(rng), rng.choice((0, 1)), rng.choice((2, 4)))
        case "records":
            return Array(record(rng, depth, most=4), 1, 4)
        case "map":
            inner = scalar(rng) if rng.random() < 0.7 else record(rng, depth, least=2, most=3)
            return Map(rng.choice(KEYS), inner)
        case "tuple":
            return Tuple((NUMBER, Scalar(values.OPEN["word"]), *((COUNT,) if rng.random() < 0.5 else ())))
        case "union":
            return union(rng, depth)
        case "variants":
            return variants(rng, depth)
        case "tree":
            link, many = ("children", True) if rng.random() < 0.6 else ("parent", False)
            return Tree(Record((Part("label", Scalar(values.OPEN["name"])), Part("size", COUNT))), link, many)
        case "sparse":
            # As many names as a map would have, each of them known.
            kind_of = rng.choice((BOOLEAN, COUNT, Scalar(values.OPEN["word"])))
            return Record(tuple(Part(name, kind_of, rng.choice((0.1, 0.2, 0.3))) for name in rng.sample(NOUNS, 25)))
        case "lists":
            return Array(Array(scalar(rng), 1, 3), 1, 3)
    names = rng.sample(NOUNS, 12)
    return Record(tuple(Part(f"is_{name}", BOOLEAN, 1.0 if not at else 0.3) for at, name in enumerate(names)))


def union(rng: Random, depth: int) -> Union:
    """Texts or numbers, numbers or lists, an id or the whole record, ..."""
    words, weight = Scalar(values.OPEN["word"]), rng.choice((0.5, 0.3, 0.15))
    pair: tuple[Node, Node] = rng.choice((
        (COUNT, words), (words, Array(words, 1, 3)), (BOOLEAN, words),
        (Scalar(values.OPEN["numbered id"]), record(rng, max(depth, 3), most=4)),
    ))  # fmt: skip
    return Union(pair, (1 - weight, weight))


def variants(rng: Random, depth: int, discriminator: str = "") -> Variants:
    """Two to four records that share a field or two and have others of their own."""
    telling = discriminator or rng.choice(("kind", "type", "method", "mode"))
    names = rng.sample(rng.choice([each for each in values.CLOSED if len(each) >= 4]), rng.randint(2, 4))
    shared = record(rng, 3, least=1, most=2, taken={telling})
    taken = {telling, *(part.name for part in shared.parts)}
    arms = []
    for name in names:
        own = [
            Part(fresh, scalar(rng), 1.0 if place < 2 else 0.5)
            for place, fresh in enumerate(_names(rng, taken, rng.randint(2, 3)))
        ]
        taken.update(part.name for part in own)
        arms.append((name, Record((*shared.parts, *own))))
    return Variants(telling, tuple(arms), tuple(rng.choice((1.0, 2.0)) for _ in arms))


def _names(rng: Random, taken: Collection[str], many: int) -> list[str]:
    found: list[str] = []
    while len(found) < many:
        found.append(fresh_name(rng, {*taken, *found}))
    return found


MIXED: Final = Scalar(lambda r: r.choice((r.randrange(100), r.randrange(1000) / 4 + 0.25)))
NUMBER: Final = Scalar(lambda r: round(r.uniform(-90, 90), 5) + 0.000001)
COUNT: Final = Scalar(lambda r: r.randint(1, 5), open_ended=False)
BOOLEAN: Final = Scalar(lambda r: r.random() < 0.6)
INTEGERS: Final = (
    COUNT,
    Scalar(lambda r: r.randrange(10**6)),
    Scalar(lambda r: r.randrange(10**9, 10**10)),
    Scalar(lambda r: -r.randrange(100)),
)
KEYS: Final[tuple[values.Maker, ...]] = (
    lambda r: str(values.any_uuid(r)),
    lambda r: f"SKU-{r.randrange(1000, 9999)}",
    lambda r: values.moment(r).date().isoformat(),
    lambda r: str(r.randrange(10**5)),
    lambda r: values.word(r, 3, 5),
)


def scalar(rng: Random) -> Scalar:
    """A value without parts."""
    kind = rng.choices(
        ("format", "lookalike", "closed", "open", "pool", "integer", "number", "boolean", "constant", "digits"),
        (30, 10, 14, 12, 6, 12, 6, 6, 2, 2),
    )[0]
    match kind:
        case "format":
            name = rng.choice(list(values.FORMATS))
            return Scalar(rng.choice(values.FORMATS[name]), name, open_ended=name not in TASTES)
        case "lookalike":
            name = rng.choice(list(values.LOOKALIKES))
            few = name in {"state", "airport", "language", "short version"}
            return Scalar(values.LOOKALIKES[name], open_ended=not few)
        case "closed":
            chosen = rng.choice(values.CLOSED)
            return Scalar(values.skewed(list(chosen)), closed=chosen)
        case "pool":
            make = values.OPEN[rng.choice(("name", "numbered id"))]
            pool = [make(rng) for _ in range(rng.choice(values.POOL_SIZES))]
            return Scalar(lambda r: r.choice(pool))
        case "integer":
            return rng.choice(INTEGERS)
        case "number":
            return rng.choice((NUMBER, NUMBER, MIXED))
        case "boolean":
            return BOOLEAN
        case "constant":
            constant = values.word(rng)
            return Scalar(lambda _: constant, open_ended=False)
        case "digits":
            return Scalar(lambda r: str(r.randrange(10, 5000)), "either")
    return Scalar(values.OPEN[rng.choice(list(values.OPEN))])
