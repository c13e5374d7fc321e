"""The samples that a column of values is from, and objects grouped by the names in them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sized


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples that values are from.

    Attributes:
        orders: of each.
        first: the least of them, and `last` the greatest.
    """

    orders: Sequence[int]
    first: int
    last: int

    @classmethod
    def of(cls, orders: Sequence[int]) -> Samples:
        """Samples in some order."""
        return cls(orders, min(orders), max(orders))

    def at(self, places: Sequence[int]) -> Samples:
        """Those at some places."""
        return Samples.of([self.orders[place] for place in places])

    def of_parts(self, values: Sequence[Sized]) -> Samples:
        """Each as often as its value has parts."""
        orders = [order for value, order in zip(values, self.orders, strict=True) for _ in range(len(value))]
        return Samples.of(orders) if orders else self


Groups = dict[tuple[str, ...], Sequence[int]]
"""Names of an object's fields, in their order -> the places of the objects that have these."""


def by_names(values: Sequence[dict[str, Any]]) -> Groups:
    """Objects by their names; at least one.

    >>> by_names([{"a": 1, "b": 2}, {"b": 1, "a": 2}, {"a": 3, "b": 4}])
    {('a', 'b'): [0, 2], ('b', 'a'): [1]}
    """
    named = list(map(tuple, values))
    if named.count(named[0]) == len(named):  # most often, and told without a step of ours for each
        return {named[0]: range(len(named))}
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, names in enumerate(named):
        groups.setdefault(names, []).append(place)
    return dict(groups)
