"""Judges what a summary of values means: closed sets, maps, tuples, variants, objects that contain their like. Pure.

A judgement is made once all samples are in; `settle` writes those that change the summary into it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.passes.schema.formats import number_format, text_format

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.passes.schema.shapes import Arrays, Objects, Shape

# ---- closed sets ----------------------------------------------------------------------------------------------------

MAX_CLOSED: Final = 20
"""Values; what has more is a list of names that happens to be short."""
TIMES_EACH: Final = 3
"""Samples for each value, on average, before a set is taken to be closed."""
FEW: Final = 12
"""Samples before anything is."""
UNSEEN: Final = 0.1
"""The share of samples that may be new values, as Good and Turing estimate it: those seen once, of all."""
CERTAIN_EACH: Final = 10
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_./:+-]*(?: [A-Za-z0-9_./:+-]+){0,2}")
_NUMBERED = re.compile(r"\d{3,}")


def closed_set(shape: Shape) -> tuple[tuple[str, ...], Certainty] | None:
    """The values of a closed set of texts, if it seems to be one, and how sure that is.

    The judgement is by Good and Turing's estimate of what has not been seen (Good 1953, Biometrika 40): of a closed set that
    was sampled often enough hardly any value was seen only once.
    """
    texts = shape.texts
    if texts is None or texts.values is None or set(shape.types) - {"string", "null"}:
        return None
    distinct, once = len(texts.values), sum(count == 1 for count in texts.values.values())
    if not 2 <= distinct <= MAX_CLOSED or texts.count < max(FEW, TIMES_EACH * distinct):
        return None
    if once > UNSEEN * texts.count or text_format_of(shape):
        return None
    if not all(_LABEL.fullmatch(value) and not _NUMBERED.search(value) for value in texts.values):
        return None
    sure: Certainty = "likely" if not once and texts.count >= CERTAIN_EACH * distinct else "guess"
    return tuple(sorted(texts.values)), sure


def text_format_of(shape: Shape) -> str:
    """The format of the texts, '' for none."""
    texts = shape.texts
    if texts is None or texts.formats is None:
        return ""
    return text_format(texts.formats, texts.distinct, texts.alphabet)


def format_of(shape: Shape) -> str:
    """The format of the texts, or of the numbers where there are only whole ones; '' for none."""
    if "string" in shape.types:
        return text_format_of(shape)
    if "integer" in shape.types and "number" not in shape.types and shape.numbers is not None:
        return number_format(int(shape.numbers.smallest), int(shape.numbers.largest), shape.of("integer"))
    return ""


LARGEST_NUMBER: Final = 2**64
"""Whole numbers beyond are told as numbers, and not written out: they may have thousands of digits."""


def range_of(shape: Shape) -> tuple[float, float] | None:
    """The smallest and the largest number; None where there is none, or one of them is better not written out."""
    numbers = shape.numbers
    if numbers is None or not all(_is_plain(each) for each in (numbers.smallest, numbers.largest)):
        return None
    return numbers.smallest, numbers.largest


def _is_plain(number: float) -> bool:
    return abs(number) <= LARGEST_NUMBER if isinstance(number, int) else math.isfinite(number)


# ---- maps -----------------------------------------------------------------------------------------------------------

_DATA = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\d{4}-\d\d(?:-\d\d.*)?|[-+]?\d+|.+@.+|(?=.*\d)[0-9a-f]{16,}"
    r"|[A-Za-z]{0,12}[-_:.#/]?\d{3,}|.*[:/].*\d.*"
)
"""Names that are values: ids, dates, numbers, addresses."""
MANY_NAMES: Final = 8


def is_map(objects: Objects) -> bool:
    """Whether an object's names are data: they look like values, or new ones keep coming and all mean the same."""
    fields = objects.fields
    if fields is None:
        return True
    if not fields:
        return False
    if all(_DATA.fullmatch(name) for name in fields):
        return True
    once = sum(each.count == 1 for each in fields.values())
    kinds = {tuple(name for name in each.names() if name != "null") for each in fields.values()} - {()}
    return (
        len(fields) >= MANY_NAMES
        and objects.count >= 3
        and 2 * once > len(fields)
        and 2 * max(each.count for each in fields.values()) < objects.count
        and len(kinds) == 1
    )


# ---- tuples ---------------------------------------------------------------------------------------------------------


def tuple_places(arrays: Arrays, count: int) -> tuple[Shape, ...] | None:
    """The places of a tuple: arrays of one length whose places hold different types."""
    places = arrays.places
    if places is None or len(places) < 2 or count < 3:
        return None
    kinds = {tuple(name for name in each.names() if name != "null") for each in places}
    return places if len(kinds) > 1 and all(len(each) <= 1 for each in kinds) else None


# ---- variants -------------------------------------------------------------------------------------------------------

MIN_ARM: Final = 3
"""Samples of each variant."""
_TELLING_NAMES: Final = ("type", "kind", "event", "method", "mode", "variant", "action", "status")


@dataclass(frozen=True, slots=True)
class Variants:
    """Objects of different fields, told apart by the value of one.

    Attributes:
        field: the one that tells.
        arms: its value -> objects, and the fields that some of them have: name -> objects.
    """

    field: str
    arms: dict[str, tuple[int, dict[str, int]]]


def variants_of(objects: Objects) -> Variants | None:
    """The variants of objects, if there are any.

    A field tells variants apart when every value but one has fields that always go with it and with not all the others.
    """
    if objects.fields is None:
        return None
    best: tuple[int, int, str] | None = None
    for name, telling in objects.telling.items():
        shape = objects.fields[name]
        if telling is None or shape.count != objects.count or shape.texts is None or shape.texts.values is None:
            continue
        counts = shape.texts.values
        if len(counts) < 2 or min(counts.values()) < MIN_ARM:
            continue
        strength = _strength(telling, counts)
        if strength:
            known = _TELLING_NAMES.index(name) if name in _TELLING_NAMES else len(_TELLING_NAMES)
            best = min(best, (-strength, known, name)) if best else (-strength, known, name)
    if best is None:
        return None
    shape = objects.fields[best[2]]
    telling = objects.telling[best[2]]
    assert telling is not None and shape.texts is not None and shape.texts.values is not None  # noqa: S101, PT018 - it was chosen for these
    return Variants(best[2], {value: (shape.texts.values[value], dict(telling[value])) for value in sorted(telling)})


def _strength(telling: Mapping[str, Mapping[str, int]], counts: Mapping[str, int]) -> int:
    """How many fields go with a value always and with another never; 0 unless that holds for all values but one."""
    own: dict[str, int] = {}
    for value, names in telling.items():
        own[value] = sum(
            count == counts[value] and any(name not in other for each, other in telling.items() if each != value)
            for name, count in names.items()
        )
    # What comes and goes by itself is no variant's: a field that some objects of a value lack must not be what tells.
    return sum(own.values()) if sum(map(bool, own.values())) >= len(own) - 1 else 0


# ---- objects that contain their like, and writing judgements down ---------------------------------------------------


def settle(shape: Shape) -> Shape:
    """Write down what is a map, what is no tuple, and what contains its like; the same shape, changed."""
    if shape.objects is not None:
        if is_map(shape.objects):
            shape.objects.become_map()
        else:
            _fold(shape.objects)
    if shape.arrays is not None and tuple_places(shape.arrays, shape.of("array")) is None:
        shape.arrays.items = shape.arrays.all_items()
        shape.arrays.places = None
    for each in children(shape):
        settle(each)
    return shape


def children(shape: Shape) -> Iterator[Shape]:
    """The summaries inside a summary."""
    if shape.objects is not None:
        yield from (shape.objects.fields or {}).values()
        if shape.objects.values is not None:
            yield shape.objects.values
    if shape.arrays is not None:
        yield from shape.arrays.places or ()
        if shape.arrays.items is not None:
            yield shape.arrays.items


def _fold(objects: Objects) -> None:
    """Add objects that are like the one they stand in to that one."""
    for link in list(objects.fields or ()):
        while objects.fields is not None:
            holder = _holder(objects.fields[link])
            inner = None if holder is None else holder.objects
            if holder is None or inner is None or not _alike(inner, objects, link):
                break
            holder.objects, holder.recursive = None, True
            objects.merge(inner)


def _holder(shape: Shape) -> Shape | None:
    """Where the objects of a field are: itself, or the items of its arrays."""
    if shape.objects is not None:
        return shape
    arrays = shape.arrays
    if arrays is None:
        return None
    if arrays.places is not None and any(each.objects is not None for each in arrays.places):
        arrays.items, arrays.places = arrays.all_items(), None
    return arrays.items


def _alike(inner: Objects, outer: Objects, link: str) -> bool:
    if inner.fields is None or outer.fields is None or link not in inner.fields or len(inner.fields) < 2:
        return False
    return inner.fields.keys() <= outer.fields.keys() and len(inner.fields) * 4 >= len(outer.fields) * 3


def cut_of(shape: Shape) -> int:
    """Objects and arrays, at any depth, that something was left out of."""
    return shape.cut + sum(map(cut_of, children(shape)))
