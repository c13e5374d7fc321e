"""What stood in bodies, and when: what `moments` finds changes in. Pure.

Kept of a body is only what stood in it, of which type, and when: bounded by a sample of the orders that is the same
however the bodies are divided.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


MAX_KEPT: Final = 4_096
"""Bodies of one event type."""
MAX_NAMES: Final = 100
"""Of an object that is looked at; one with more is most likely a map."""

Signature = tuple[Any, ...]


def signature_of(body: dict[str, Any]) -> Signature:
    """The names and types in an object and in the objects in it."""
    inner = tuple(
        (name, tuple(each), tuple(map(type, each.values()))) for name, each in body.items() if type(each) is dict
    )
    return tuple(body), tuple(map(type, body.values())), inner


def _hash(order: int) -> int:
    """Spreads orders evenly: Fibonacci hashing (Knuth, volume 3, section 6.4)."""
    return (order * 11400714819323198485) & 0xFFFFFFFFFFFFFFFF


@dataclass(slots=True)
class Timeline:
    """What stood in bodies, in their order. Merging is associative and commutative.

    Attributes:
        kept: order of a body -> its signature.
        full: there were too many signatures.
    """

    kept: dict[int, Signature] = field(default_factory=dict)
    full: bool = False

    def add_all(self, orders: Sequence[int], bodies: Sequence[dict[str, Any]]) -> None:
        """Note bodies."""
        if self.full:
            return
        rows: Iterable[tuple[int, dict[str, Any]]] = zip(orders, bodies, strict=True)
        if len(orders) > MAX_KEPT:  # no other has a place in the sample
            rows = heapq.nsmallest(MAX_KEPT, rows, key=lambda row: _hash(row[0]))
        same: dict[Signature, Signature] = {}  # one object for all that are alike: it is sent to another process once
        for order, body in rows:
            signature = signature_of(body)
            self.kept[order] = same.setdefault(signature, signature)
        self.limit()

    def merge(self, other: Timeline) -> None:
        """Take another in."""
        self.kept.update(other.kept)
        self.full |= other.full
        self.limit()

    def limit(self) -> None:
        """Keep what has a place in the sample."""
        if len(self.kept) > MAX_KEPT:
            chosen = sorted(self.kept, key=_hash)[:MAX_KEPT]
            self.kept = {order: self.kept[order] for order in chosen}
