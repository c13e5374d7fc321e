"""How likely something is not seen though it is still there: exact conditional tests of counts. Pure."""

from __future__ import annotations

import math
from typing import Final

from msgtrace_analysis.passes.schema.versions import CHANCE

DIGITS: Final = 3


def of_samples(hits: int, of: int, samples: int) -> float:
    """The probability that none of `samples` has what `hits` of `of` have, when all are of one kind.

    Fisher's exact test, one-sided (Fisher 1935, The Design of Experiments): all hits fall among the `of` by chance.
    Unlike a rate that is taken for known, it knows how few samples the rate itself comes from.

    >>> round(of_samples(3, 3, 3), 4), round(of_samples(5, 5, 5), 4), of_samples(2, 2, 0)
    (0.05, 0.004, 1.0)
    """
    hits = min(hits, of)
    if not hits or not samples:
        return 1.0
    return math.exp(
        math.lgamma(of + 1) - math.lgamma(of - hits + 1)
        - math.lgamma(of + samples + 1) + math.lgamma(of + samples - hits + 1)
    )  # fmt: skip


def of_time(messages: int, seconds: float, other_seconds: float, dispersion: float = 1.0) -> float:
    """The probability that none of `messages` falls into another time, when the rate is the same in both.

    The conditional test of two Poisson rates (Przyborowski and Wilenski 1940, Biometrika 31). What comes in bursts counts as
    so many fewer messages as its counts vary more than by chance.

    >>> of_time(3, 10.0, 10.0), of_time(10, 10.0, 10.0) < 0.001, of_time(5, 1.0, 0.0)
    (0.125, True, 1.0)
    """
    if not messages or other_seconds <= 0:
        return 1.0
    independent = max(1.0, messages / max(1.0, dispersion))
    return float((seconds / (seconds + other_seconds)) ** independent)


def is_sure(chance: float) -> bool:
    """Whether chance alone hardly shows as much."""
    return chance <= CHANCE


def rounded(chance: float) -> float:
    """To three digits.

    >>> rounded(0.123456), rounded(0.0), rounded(0.000123456)
    (0.123, 0.0, 0.000123)
    """
    return float(f"{chance:.{DIGITS}g}")
