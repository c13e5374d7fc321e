"""Finds the moments at which bodies changed for good, though nothing in them says so. Pure.

Apart from `timeline`, because a process that helps to read bodies would spend half of its start on numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from msgtrace_analysis.passes.schema.timeline import Signature, Timeline

MAX_SIGNATURES: Final = 256
"""Different ones; what has more has no versions that can be told."""
CHANCE: Final = 0.001
"""Probability up to which a change is none of chance; divided by how many were looked for, everything after each body."""
MIN_SIDE: Final = 5
"""Bodies before and after a moment."""
MAX_MOMENTS: Final = 7
MAX_ITEMS: Final = 1_000
"""Different names and types in all signatures."""


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
    matrix = np.zeros((len(orders), len(items)), dtype=np.int64)
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


def _best(matrix: NDArray[np.int64]) -> int | None:
    """The row at which dividing tells most; None where it tells too little."""
    rows, items = matrix.shape
    if rows < 2 * MIN_SIDE:
        return None
    before = np.cumsum(matrix, axis=0)[MIN_SIDE - 1 : rows - MIN_SIDE]
    lengths = np.arange(MIN_SIDE, rows - MIN_SIDE + 1)[:, None]
    whole = matrix.sum(axis=0)
    changed = _surprise(before, lengths, whole, rows).max(axis=0) >= np.log(rows * items / CHANCE)
    if not changed.any():
        return None
    gain = _likelihood(before, lengths) + _likelihood(whole - before, rows - lengths) - _likelihood(whole, rows)
    # Of all that changed for good: the moment at which all of it together is told best.
    return MIN_SIDE + int(gain[:, changed].sum(axis=1).argmax())


def _surprise(before: Any, lengths: Any, whole: Any, rows: int) -> Any:
    """How unlikely a division is where the rows are in any order: minus the logarithm of its hypergeometric probability.

    0 where both sides have some rows with and some without: that is another rate, which no reader of a schema can tell.
    """
    after = whole - before
    one_sided = (before == 0) | (before == lengths) | (after == 0) | (after == rows - lengths)
    factorials = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, rows + 1)))))  # their logarithms

    def ways(of: Any, some: Any) -> Any:
        return factorials[of] - factorials[some] - factorials[of - some]

    told = ways(rows, whole) - ways(lengths, before) - ways(rows - lengths, after)
    return np.where(one_sided, told, 0.0)


def _likelihood(hits: Any, samples: Any) -> Any:
    """Log likelihood of some hits at their own rate."""
    rate = hits / samples
    with np.errstate(divide="ignore", invalid="ignore"):
        sure = np.where(hits > 0, hits * np.log(rate), 0.0)
        never = np.where(hits < samples, (samples - hits) * np.log1p(-rate), 0.0)
    return sure + never
