"""The bodies of each event type: their fields and a schema, from all samples.

A sample is a send's body, or a receive's where the send was not seen; a delivery repeats its send's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Contract
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.passes.schemas import DIALECT, fields_of, schema_of
from msgtrace_analysis.passes.shapes import Shape

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

ENOUGH: Final = 20
"""Samples from which on what they have in common is likely to hold for others."""

# One row per event type: samples that should have a body, and those whose body can be read.
SAMPLES: Final = """
    select m.system, m.address_kind, m.address, m.name, count(*), count(*) filter (o.readable)
    from messages as m
    inner join operations as o using (operation_id)
    where (m.side = 'send' or m.send_id is null) and o.kind <> 'process'
    group by all
    order by all
"""

# One row per sample of a range of operations: its event type.
TYPED: Final = """
    select operation_id, system, address_kind, address, name
    from messages
    where (side = 'send' or send_id is null) and operation_id between $1 and $2
"""


def contracts(study: Study) -> tuple[Contract, ...]:
    """Infer the contract of every event type. Needs the tables of `naming`."""
    shapes: dict[str, Shape] = {}
    unread: dict[str, int] = {}
    for page in study.bodies():
        if not page:
            continue
        types = {row[0]: ref(*row[1:]) for row in study.rows(TYPED, [page[0][0], page[-1][0]])}
        for operation, body, encoding in page:
            event = types.get(operation)
            if event is None:
                continue
            try:
                value = json.loads(body)
            except (RecursionError, ValueError):
                # Nested too deep, or with a whole number of more digits than Python reads.
                unread[event] = unread.get(event, 0) + 1
                continue
            shapes.setdefault(event, Shape()).add(value, marked=encoding == "object")
    return tuple(
        _contract(ref(*key), shapes.get(ref(*key)), messages - readable + unread.get(ref(*key), 0))
        for *key, messages, readable in study.rows(SAMPLES)
    )


def _contract(event: str, shape: Shape | None, unread: int) -> Contract:
    if shape is None:
        return Contract(event, 0, unread, 0, (), {}, "guess")
    schema: dict[str, Any] = {"$schema": DIALECT, **schema_of(shape)}
    return Contract(
        event=event,
        samples=shape.count,
        unread=unread,
        cut=cut_of(shape),
        fields=tuple(fields_of(shape)),
        schema=schema,
        certainty="likely" if shape.count >= ENOUGH and not unread else "guess",
    )


def cut_of(shape: Shape) -> int:
    """Objects and arrays, at any depth, that something was left out of."""
    inner = [*(shape.objects or {}).values(), *(each for each in (shape.items, shape.values) if each is not None)]
    return shape.cut + sum(map(cut_of, inner))
