"""What a finding rests on: how sure it is, which operations it was read from, which code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Certainty = Literal["exact", "likely", "guess"]
CERTAINTIES: Final[tuple[Certainty, ...]] = ("exact", "likely", "guess")
"""Best first."""


def weakest(certainties: Iterable[Certainty]) -> Certainty:
    """The certainty of what rests on all of these; `exact` when it rests on none."""
    return CERTAINTIES[max(map(CERTAINTIES.index, certainties), default=0)]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The operations that a finding was read from.

    Attributes:
        operations: how many.
        examples: ids of a few of them, the first ones.
        first_seen_ns: when the first began.
        last_seen_ns: when the last began.
        certainty: of the finding.
    """

    operations: int
    examples: tuple[int, ...]
    first_seen_ns: int | None
    last_seen_ns: int | None
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Place:
    """Code that publishes or handles, or what stands in for it where none was seen.

    Attributes:
        kind: `handler` (a function given to a library), `code` (the place of the call), `route` (an incoming request),
            `connection` (its opening), `outside` (not in the trace).
        name: the function's or route's name.
        site: '' where not known.
    """

    kind: Literal["handler", "code", "route", "connection", "outside"]
    service: str
    name: str
    site: str


@dataclass(frozen=True, slots=True)
class Party:
    """A place that publishes or consumes an event type, and how often it did."""

    place: Place
    evidence: Evidence
