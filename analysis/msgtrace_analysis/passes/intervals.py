"""Confidence intervals of counts. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Z: Final = 1.959963984540054
"""Of 95%."""
EXACT_TO: Final = 100
"""Counts up to which the bounds are searched for; beyond, their approximation is right to four digits."""


def poisson(count: int) -> tuple[float, float]:
    """The exact 95% interval of a Poisson count's mean (Garwood, Biometrika 28, 1936).

    >>> [round(each, 3) for each in poisson(0)], [round(each, 3) for each in poisson(10)]
    ([0.0, 3.689], [4.795, 18.39])
    """
    if count > EXACT_TO:
        # Wilson and Hilferty's approximation of the chi-squared quantile.
        return _cubed(count, -Z), _cubed(count + 1, Z)
    low = 0.0 if count == 0 else _search(lambda mean: 1 - _at_most(count - 1, mean), 0.025, count)
    return low, _search(lambda mean: 1 - _at_most(count, mean), 0.975, count)


def _cubed(count: int, z: float) -> float:
    return count * (1 - 1 / (9 * count) + z / (3 * math.sqrt(count))) ** 3


def _at_most(count: int, mean: float) -> float:
    return (
        math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1)) if mean else 1.0
    )


def _search(rising: Callable[[float], float], wanted: float, count: int) -> float:
    low, high = 0.0, count + 10 * math.sqrt(count + 1) + 10
    for _ in range(60):
        middle = (low + high) / 2
        if rising(middle) < wanted:
            low = middle
        else:
            high = middle
    return high


def overdispersed(count: int, dispersion: float) -> tuple[float, float]:
    """The 95% interval of a count whose variance is so many times its mean (quasi-Poisson, on the logarithm).

    >>> [round(each) for each in overdispersed(100, 4.0)]
    [68, 148]
    """
    factor = math.exp(Z * math.sqrt(dispersion / count))
    return count / factor, count * factor


def is_overdispersed(fano: float, windows: int) -> bool:
    """Whether counts in windows vary more than by chance, at about 95%: (windows - 1) x Fano is chi-squared."""
    return windows > 1 and fano > 1 + 1.645 * math.sqrt(2 / (windows - 1)) + 0.7 / windows
