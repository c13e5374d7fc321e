"""Whether an event type that is on several channels has the same body on each of them, or how the bodies differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Difference, Elsewhere
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.passes.same_types import same_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgtrace_analysis.findings import Contract, Field
    from msgtrace_analysis.study import Study

CHANCE: Final = 0.01
"""Probability up to which a difference is none of chance."""
ENOUGH: Final = 20
"""Samples on both sides before anything about them is likely."""
LISTED: Final = 20


def with_elsewhere(study: Study, contracts: Iterable[Contract]) -> tuple[Contract, ...]:
    """Contracts that say how the same type looks on its other channels. Needs the tables of `naming`."""
    known = {each.event: each for each in contracts}
    others = {ref(*key): [ref(*other) for other in alike] for key, alike in same_types(study).items()}
    return tuple(
        replace(
            contract,
            elsewhere=tuple(
                compared(contract, known[other])
                for other in others.get(event, ())
                if other in known and contract.samples and known[other].samples
            ),
        )
        for event, contract in known.items()
    )


def compared(mine: Contract, other: Contract) -> Elsewhere:
    """How the bodies of two contracts differ, beyond what chance may show."""
    found = tuple(_differences(mine, other)) if not mine.cut and not other.cut else ()
    enough = min(mine.samples, other.samples) >= ENOUGH and not (mine.cut or other.cut or mine.unread or other.unread)
    return Elsewhere(other.event, found[:LISTED], len(found), "likely" if enough else "guess")


def _differences(mine: Contract, other: Contract) -> Iterator[Difference]:
    here, there = ({field.path: field for field in each.fields} for each in (mine, other))
    for path in sorted(here.keys() | there.keys()):
        a, b = here.get(path), there.get(path)
        # What stands in an object that is missing is missing with it.
        if _parent_missing(path, here, there):
            continue
        if b is None and a is not None:
            if _no_chance(_rate(a), _of(path, there, other)):
                yield Difference(path, "only here")
        elif a is None and b is not None:
            if _no_chance(_rate(b), _of(path, here, mine)):
                yield Difference(path, "only there")
        elif a is not None and b is not None:
            yield from _of_both(path, a, b)


def _of_both(path: str, a: Field, b: Field) -> Iterator[Difference]:
    if set(a.types) - {"null"} != set(b.types) - {"null"} and {*a.types, *b.types} != {"integer", "number"}:
        yield Difference(path, f"{_words(a)} here, {_words(b)} there")
    if _rate(a) == 1 > _rate(b) and _no_chance(1 - _rate(b), a.of):
        yield Difference(path, "always here, not always there")
    elif _rate(b) == 1 > _rate(a) and _no_chance(1 - _rate(a), b.of):
        yield Difference(path, "not always here, always there")


def _parent_missing(path: str, here: dict[str, Field], there: dict[str, Field]) -> bool:
    parent = path.rpartition(".")[0]
    while parent:
        if (parent in here) != (parent in there):
            return True
        parent = parent.rpartition(".")[0]
    return False


def _of(path: str, fields: dict[str, Field], contract: Contract) -> int:
    """In how many objects a field would have been seen that is nowhere."""
    parent = path.rpartition(".")[0]
    return fields[parent].present if parent in fields else contract.samples


def _rate(field: Field) -> float:
    return field.present / field.of if field.of else 0.0


def _no_chance(rate: float, samples: int) -> bool:
    """Whether something of a rate would have been seen in some samples, if it were there."""
    return (1 - rate) ** samples <= CHANCE if samples else False


def _words(field: Field) -> str:
    return " or ".join(each for each in field.types if each != "null") or "null"
