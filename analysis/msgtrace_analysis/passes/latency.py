"""Times: percentiles of what was measured, and what could be promised from it. Pure."""

from __future__ import annotations

import functools
import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from msgtrace_analysis.findings import Latency, Target

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SHARES: Final = (0.99, 0.95)
"""Of messages that should keep to a proposed time; the first that there are enough measurements for."""
CONFIDENCE: Final = 0.95
SURE: Final = 0.99
"""Of the intervals of percentiles: they are laid beside those of other runs, very many at a time."""
MANY: Final = 5_000
"""From here on the binomial distribution is taken for a normal one."""


def latency_of(took_ns: ArrayLike) -> Latency | None:
    """Percentiles, by linear interpolation, of what is not below zero."""
    known = _known(took_ns)
    if not len(known):
        return None
    p50, p95, p99 = (round(float(each) / 1e6, 3) for each in np.percentile(known, (50, 95, 99)))
    ordered = np.sort(known)
    return Latency(len(known), p50, p95, p99, _between(ordered, 0.5), _between(ordered, 0.95))


def _between(ordered: np.ndarray[tuple[int], np.dtype[np.int64]], share: float) -> tuple[float, float] | None:
    """The interval that has a percentile with `SURE`, by order statistics, in milliseconds."""
    many, each_side = len(ordered), (1 + SURE) / 2
    upper, lower = bound(many, share, each_side), bound(many, 1 - share, each_side)
    if upper is None or lower is None:
        return None
    low, high = (round(float(ordered[place - 1]) / 1e6, 3) for place in (many + 1 - lower, upper))
    return low, high


def target_of(took_ns: ArrayLike) -> Target | None:
    """Propose a time: the upper confidence bound of a percentile, by order statistics, rounded up to two digits.

    Nothing is assumed of how times are distributed, only that they don't depend on each other (Conover, Practical
    Nonparametric Statistics, 3.2). 59 measurements are the fewest that bound a 95th percentile so.
    """
    known = np.sort(_known(took_ns))
    for share in SHARES:
        place = bound(len(known), share)
        if place is not None:
            return Target(rounded_up(float(known[place - 1]) / 1e6), share, len(known), "likely")
    return None


@functools.lru_cache(maxsize=10_000)
def bound(many: int, share: float, confidence: float = CONFIDENCE) -> int | None:
    """Which of so many sorted values, from 1, is at or above the quantile with a confidence; None if none is.

    >>> bound(58, 0.95), bound(59, 0.95), bound(299, 0.99)
    (None, 59, 299)
    """
    if many and share**many > 1 - confidence:
        return None
    if many > MANY:
        deviations = NormalDist().inv_cdf(confidence)
        return min(many, math.ceil(many * share + deviations * math.sqrt(many * share * (1 - share))) + 1)
    # The probability of so many values, or more, below the quantile.
    each, above, place = share**many, 0.0, many
    while place and above + each <= 1 - confidence:
        above += each
        each *= place / (many - place + 1) * (1 - share) / share
        place -= 1
    return place + 1 if many else None


def rounded_up(value: float) -> float:
    """To two digits.

    >>> rounded_up(123.4), rounded_up(0.0871), rounded_up(100.0)
    (130.0, 0.088, 100.0)
    """
    if value <= 0:
        return 0.0
    digits = 1 - math.floor(math.log10(value))
    # What is two digits already must not become more by the way floats are kept.
    return round(float(math.ceil(round(value * 10.0**digits, 6)) / 10.0**digits), max(digits, 0))


def _known(took_ns: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    values = np.asarray(took_ns, dtype=np.int64)
    return values[values >= 0]
