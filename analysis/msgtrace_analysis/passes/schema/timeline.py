"""Finds the moments at which bodies changed for good, though nothing in them says so. Pure.

Kept of a body is only what stood in it, of which type, and when: bounded by a sample of the orders that is the same
however the bodies are divided.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

MAX_KEPT: Final = 4_096
"""Bodies of one event type."""
MAX_SIGNATURES: Final = 256
"""Different ones; what has more has no versions that can be told."""
EVIDENCE: Final = 20.0
"""Twice the gain in log likelihood by taking a field's rate for another one after a moment: what all fields and moments of
a type together reach by chance once in some hundred types (Wilks 1938, with the moments counted)."""
MIN_SIDE: Final = 5
"""Bodies before and after a moment."""
MAX_MOMENTS: Final = 7
MAX_NAMES: Final = 100
"""Of an object that is looked at; one with more is most likely a map."""
MAX_ITEMS: Final = 1_000
"""Different names and types in all signatures."""

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


def moments(timeline: Timeline) -> list[int]:
    """The orders of the last bodies before a change for good, oldest first."""
    timeline.limit()
    signatures = set(timeline.kept.values())
    if not 2 <= len(signatures) <= MAX_SIGNATURES:
        return []
    orders = sorted(timeline.kept)
    items = sorted({item for each in signatures for item in _items(each)}, key=repr)
    if len(items) > MAX_ITEMS:
        return []
    places = {item: place for place, item in enumerate(items)}
    has = {each: [places[item] for item in _items(each)] for each in signatures}
    matrix = np.zeros((len(orders), len(items)), dtype=np.float64)
    for row, order in enumerate(orders):
        matrix[row, has[timeline.kept[order]]] = 1
    found: list[int] = []
    parts = [(0, len(orders))]
    while parts and len(found) < MAX_MOMENTS:
        begin, end = parts.pop()
        cut = _best(matrix[begin:end])
        if cut is not None:
            found.append(orders[begin + cut - 1])
            parts += [(begin, begin + cut), (begin + cut, end)]
    return sorted(found)


def _items(signature: Signature) -> Iterator[tuple[str, ...]]:
    names, types, inner = signature
    for name, kind in zip(names, types, strict=True):
        yield (name,)
        yield name, ":", kind.__name__
    for name, fields, kinds in inner:
        for each, kind in zip(fields, kinds, strict=True):
            yield name, each
            yield name, each, ":", kind.__name__


def _best(matrix: NDArray[np.float64]) -> int | None:
    """The row at which dividing tells most; None where it tells too little."""
    rows = len(matrix)
    if rows < 2 * MIN_SIDE:
        return None
    before = np.cumsum(matrix, axis=0)[MIN_SIDE - 1 : rows - MIN_SIDE]
    lengths = np.arange(MIN_SIDE, rows - MIN_SIDE + 1, dtype=np.float64)[:, None]
    whole = matrix.sum(axis=0)
    gain = 2 * (
        _likelihood(before, lengths)
        + _likelihood(whole - before, rows - lengths)
        - _likelihood(whole, np.float64(rows))
    )
    if not gain.size or gain.max() < EVIDENCE:
        return None
    # Of all that changed for good: the moment at which all of it together is told best.
    changed = gain.max(axis=0) >= EVIDENCE
    return MIN_SIDE + int(gain[:, changed].sum(axis=1).argmax())


def _likelihood(hits: Any, samples: Any) -> Any:
    """Log likelihood of some hits at their own rate."""
    rate = hits / samples
    with np.errstate(divide="ignore", invalid="ignore"):
        sure = np.where(hits > 0, hits * np.log(rate), 0.0)
        never = np.where(hits < samples, (samples - hits) * np.log1p(-rate), 0.0)
    return sure + never
