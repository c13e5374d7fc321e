"""Writes a settled summary as a list of fields. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Field
from msgtrace_analysis.passes.schema.backing import claimed_format
from msgtrace_analysis.passes.schema.examples import shown
from msgtrace_analysis.passes.schema.judgement import closed_set, range_of, tuple_places
from msgtrace_analysis.passes.schema.roles import role_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.passes.schema.backing import Span
    from msgtrace_analysis.passes.schema.shapes import Shape


def fields_of(shape: Shape, span: Span | None = None, path: str = "") -> Iterator[Field]:
    """Every field, parents first, by path; `span` is that of the trace."""
    if shape.arrays is not None:
        places = tuple_places(shape.arrays, shape.of("array"))
        if places is not None:
            for place, each in enumerate(places):
                yield _field(f"{path}[{place}]", each, each.count, span)
                yield from fields_of(each, span, f"{path}[{place}]")
        items = shape.arrays.items
        if items is not None and items.count:
            if items.names() != ["object"]:
                yield _field(f"{path}[]", items, items.count, span)
            yield from fields_of(items, span, f"{path}[]")
    objects = shape.objects
    if objects is None:
        return
    if objects.fields is None:
        if objects.values is not None:
            here = f"{path}.*" if path else "*"
            yield _field(here, objects.values, objects.values.count, span)
            yield from fields_of(objects.values, span, here)
        return
    for name, each in sorted(objects.fields.items()):
        here = f"{path}.{name}" if path else name
        yield _field(here, each, objects.count, span)
        yield from fields_of(each, span, here)


def _field(path: str, shape: Shape, of: int, span: Span | None) -> Field:
    closed = closed_set(shape)
    form, sure = claimed_format(shape, path.rpartition(".")[2].rstrip("[]*0123456789"), span)
    role = role_of(path, shape, form)
    return Field(
        path=path,
        types=tuple(shape.names()),
        present=shape.count,
        of=of,
        nulls=shape.of("null"),
        examples=_examples(shape),
        format=form,
        format_certainty=sure,
        values=closed[0] if closed else (),
        closed=closed[1] if closed else None,
        range=_range(shape),
        role=role,
        role_certainty="likely" if role else None,
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
