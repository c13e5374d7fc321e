"""Writes a settled summary as a list of fields. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Field
from msgtrace_analysis.passes.schema.examples import shown
from msgtrace_analysis.passes.schema.judgement import closed_set, format_of, range_of, tuple_places
from msgtrace_analysis.passes.schema.roles import role_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.passes.schema.shapes import Shape


def fields_of(shape: Shape, path: str = "") -> Iterator[Field]:
    """Every field, parents first, by path."""
    if shape.arrays is not None:
        places = tuple_places(shape.arrays, shape.of("array"))
        if places is not None:
            for place, each in enumerate(places):
                yield _field(f"{path}[{place}]", each, each.count)
                yield from fields_of(each, f"{path}[{place}]")
        items = shape.arrays.items
        if items is not None and items.count:
            if items.names() != ["object"]:
                yield _field(f"{path}[]", items, items.count)
            yield from fields_of(items, f"{path}[]")
    objects = shape.objects
    if objects is None:
        return
    if objects.fields is None:
        if objects.values is not None:
            here = f"{path}.*" if path else "*"
            yield _field(here, objects.values, objects.values.count)
            yield from fields_of(objects.values, here)
        return
    for name, each in sorted(objects.fields.items()):
        here = f"{path}.{name}" if path else name
        yield _field(here, each, objects.count)
        yield from fields_of(each, here)


def _field(path: str, shape: Shape, of: int) -> Field:
    closed = closed_set(shape)
    form = format_of(shape)
    return Field(
        path=path,
        types=tuple(shape.names()),
        present=shape.count,
        of=of,
        nulls=shape.of("null"),
        examples=_examples(shape),
        format=form,
        values=closed[0] if closed else (),
        closed=closed[1] if closed else None,
        range=_range(shape),
        role=role_of(path, shape, form),
    )


def _examples(shape: Shape) -> tuple[str, ...]:
    found = []
    if shape.texts is not None:
        found += [shown(each) for each in shape.texts.examples]
    found += [shown(each) for each in range_of(shape) or ()]
    return tuple(dict.fromkeys(found))


def _range(shape: Shape) -> tuple[float, float] | None:
    if shape.numbers is not None:
        return range_of(shape)
    return None if shape.texts is None else (shape.texts.shortest, shape.texts.longest)
