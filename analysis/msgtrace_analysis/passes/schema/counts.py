"""Writes a settled summary as counts, and makes a summary of them again: what comparing two schemas needs of it. Pure.

Counts are plain JSON, so that bodies can be compared that are no longer there: those of a saved report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.schema.shapes import MAX_DEPTH, Arrays, Objects, Seen, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

Counts = dict[str, Any]
"""`seen`: how many values; `types`: of each type. Of objects `fields` by name, or `values` of a map; of arrays `items`, or
`places` of a tuple. `objects` where it is not the number of type `object`: what contains its like is counted with it.
`cut`: values that something was left out of."""
MOST: Final = 4 * MAX_DEPTH
"""How deep counts are read; what we write is never so deep."""


def counts_of(shape: Shape) -> Counts:
    """What was counted."""
    counts: Counts = {"seen": shape.count, "types": {name: shape.of(name) for name in sorted(shape.types)}}
    if shape.cut:
        counts["cut"] = shape.cut
    objects, arrays = shape.objects, shape.arrays
    if objects is not None:
        if objects.count != shape.of("object"):
            counts["objects"] = objects.count
        if objects.fields is not None:
            counts["fields"] = {name: counts_of(each) for name, each in sorted(objects.fields.items())}
        elif objects.values is not None:
            counts["values"] = counts_of(objects.values)
    if arrays is not None and arrays.places is not None:
        counts["places"] = [counts_of(each) for each in arrays.places]
    elif arrays is not None and arrays.items is not None and arrays.items.count:
        counts["items"] = counts_of(arrays.items)
    return counts


def shape_of(counts: Mapping[str, Any], depth: int = 0) -> Shape:
    """A summary with these counts; what is not in them (texts, ranges, moments) is not in it.

    Raises:
        ValueError: these are no counts.
    """
    try:
        return _shape(counts, depth)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no counts of fields: {error}") from None


def _shape(counts: Mapping[str, Any], depth: int) -> Shape:
    if depth > MOST:
        raise ValueError(f"counts of fields are nested deeper than {MOST}")
    shape = Shape(int(counts["seen"]), {name: Seen(int(n), 0, 0) for name, n in counts["types"].items()})
    shape.cut = int(counts.get("cut", 0))
    objects = int(counts.get("objects", shape.of("object")))
    if "fields" in counts:
        fields = {name: _shape(each, depth + 1) for name, each in counts["fields"].items()}
        shape.objects = Objects(objects, fields)
    elif "values" in counts or objects:
        values = _shape(counts["values"], depth + 1) if "values" in counts else None
        shape.objects = Objects(objects, None, values)
    if "places" in counts:
        places = tuple(_shape(each, depth + 1) for each in counts["places"])
        shape.arrays = Arrays(len(places), len(places), places, None)
    elif shape.of("array"):
        items = _shape(counts["items"], depth + 1) if "items" in counts else None
        shape.arrays = Arrays(0, 0, None, items)
    return shape
