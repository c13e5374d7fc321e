"""The next version of a body, and what the step to it is for readers and writers of the other version. Pure.

In the sense of Avro and Confluent's schema registry: `backward` means that the new schema reads old data, `forward` that the
old schema reads new data, `full` both, `none` neither. Readers ignore fields that they don't know, as JSON's do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bench.truth import schemas, values
from bench.truth.structure import Part, Record, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Evolved = tuple[Record, str] | None
"""The new record and the verdict; None where there is nothing that could be changed so."""
TEXT: Final = Scalar(values.OPEN["sentence"])


def evolved(rng: Random, record: Record) -> tuple[Record, str, str]:
    """A changed record, the verdict, and what was done."""
    for name in rng.sample(list(CHANGES), len(CHANGES)):
        made = CHANGES[name](rng, record)
        if made is not None:
            return *made, name
    raise AssertionError  # a field can always be added


def _fresh(rng: Random, record: Record) -> str:
    return schemas.fresh_name(rng, {part.name for part in record.parts})


def _with(record: Record, part: Part) -> Record:
    return Record((*record.parts, part))


def _changed(record: Record, old: Part, new: Part | None) -> Record:
    parts = (new if part is old else part for part in record.parts)
    return Record(tuple(part for part in parts if part is not None))


def _pick(rng: Random, record: Record, wanted: Callable[[Part], bool]) -> Part | None:
    """One of the fields that fit, but never the last that is always there."""
    fit = [part for part in record.parts if wanted(part)]
    return rng.choice(fit) if fit and len(record.parts) > 2 else None


def _required_added(rng: Random, record: Record) -> Evolved:
    return _with(record, Part(_fresh(rng, record), TEXT)), "forward"


def _optional_added(rng: Random, record: Record) -> Evolved:
    return _with(record, Part(_fresh(rng, record), TEXT, 0.6)), "full"


def _required_removed(rng: Random, record: Record) -> Evolved:
    part = _pick(rng, record, lambda each: each.presence == 1)
    return None if part is None else (_changed(record, part, None), "backward")


def _optional_removed(rng: Random, record: Record) -> Evolved:
    part = _pick(rng, record, lambda each: 0.5 <= each.presence < 1)
    return None if part is None else (_changed(record, part, None), "full")


def _made_optional(rng: Random, record: Record) -> Evolved:
    part = _pick(rng, record, lambda each: each.presence == 1)
    return None if part is None else (_changed(record, part, replace(part, presence=0.5)), "backward")


def _made_required(rng: Random, record: Record) -> Evolved:
    part = _pick(rng, record, lambda each: each.presence <= 0.7)
    return None if part is None else (_changed(record, part, replace(part, presence=1.0)), "forward")


def _renamed(rng: Random, record: Record) -> Evolved:
    part = _pick(rng, record, lambda each: each.presence == 1)
    return None if part is None else (_changed(record, part, replace(part, name=_fresh(rng, record))), "none")


def _retyped(rng: Random, record: Record) -> Evolved:
    part = _pick(rng, record, lambda each: each.presence == 1 and each.node in schemas.INTEGERS and not each.nulls)
    return None if part is None else (_changed(record, part, replace(part, node=TEXT)), "none")


def _widened(rng: Random, record: Record) -> Evolved:
    part = _pick(rng, record, lambda each: each.presence == 1 and each.node in schemas.INTEGERS and not each.nulls)
    return None if part is None else (_changed(record, part, replace(part, node=schemas.NUMBER)), "backward")


def _narrowed(rng: Random, record: Record) -> Evolved:
    part = _pick(rng, record, lambda each: each.presence == 1 and each.node is schemas.NUMBER and not each.nulls)
    return None if part is None else (_changed(record, part, replace(part, node=schemas.INTEGERS[1])), "forward")


CHANGES: Final[dict[str, Callable[[Random, Record], Evolved]]] = {
    "required field added": _required_added,
    "optional field added": _optional_added,
    "required field removed": _required_removed,
    "optional field removed": _optional_removed,
    "field made optional": _made_optional,
    "field made required": _made_required,
    "required field renamed": _renamed,
    "integer became text": _retyped,
    "integer became number": _widened,
    "number became integer": _narrowed,
}
"""What may be done to a record."""
