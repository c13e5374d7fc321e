"""Fits a policy to the delays before second, third, ... attempts: fixed, linear or exponential, with a cap. Pure.

What a broker and a loaded machine add to a delay is never negative and much the same for short and for long ones; jitter
lies on both sides and grows with the delay. So without jitter a delay is read from the shortest tenth of its samples, and
with jitter from the middle of their range. Of the models that fit, the one with the lowest Bayesian information criterion
counts (Schwarz, Annals of Statistics 6, 1978), over relative residuals that have a floor: four percent are never signal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from msgtrace_analysis.findings import PolicyKind

    Delays = NDArray[np.float64]

AT_ONCE_S: Final = 0.012
"""A delay that is not more is the way's own."""
UNEVEN_S: Final = 0.02
"""A spread that is not more is the machine's."""
JITTERY: Final = 0.08
"""The share of a delay from which on its spread is jitter."""
FLOOR: Final = 0.04
FITTING: Final = 0.25
"""Relative residuals of the middle delays above which no model fits."""
RIVAL: Final = 3.0
"""A model whose criterion is worse by less fits about as well."""
LEAST: Final = 1.15
"""A multiplier below which delays are not said to grow by it."""
SAME: Final = 1.12
"""Middles that differ by no more than this factor don't grow; twice as much where it is what the machine adds."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A policy's delays.

    Attributes:
        delays_s: what it says for each attempt after the first.
        error: root mean square of (delay - fitted) / fitted, over all samples; None where nothing was fitted.
        rival: another kind that fits about as well; None for none.
    """

    kind: PolicyKind
    initial_s: float | None
    multiplier: float | None
    step_s: float | None
    max_s: float | None
    jitter: float | None
    delays_s: tuple[float, ...]
    error: float | None
    rival: PolicyKind | None = None


NONE: Final = Fit("unknown", None, None, None, None, None, (), None)


@dataclass(frozen=True, slots=True)
class _Model:
    kind: PolicyKind
    parameters: int
    fitted: Delays
    multiplier: float | None = None
    step_s: float | None = None
    capped: bool = False


def fit(samples: Sequence[Sequence[float]]) -> Fit:
    """The policy of delays.

    Args:
        samples: seconds before the second attempt, before the third, ... Those after an attempt that has none are left out.

    >>> found = fit([[0.1, 0.101], [0.2, 0.203], [0.4, 0.402], [0.5, 0.5], [0.5, 0.502]])
    >>> found.kind, round(found.initial_s, 2), round(found.multiplier, 1), round(found.max_s, 2)
    ('exponential', 0.1, 2.0, 0.5)
    >>> fit([[0.001], [0.002]]).kind
    'immediate'
    """
    known = [np.maximum(np.asarray(each, dtype=np.float64), 0.0) for each in _leading(samples)]
    if not known:
        return NONE
    everything = np.concatenate(known)
    if float(np.median(everything)) <= AT_ONCE_S:
        return Fit("immediate", 0.0, None, None, None, None, (0.0,) * len(known), None)
    jitter = _jitter(known)
    middles = np.array([_middle(each, jitter) for each in known])
    weights = np.array([len(each) for each in known], dtype=np.float64)
    best, rival = _best(middles, weights, jitter)
    if best is None:
        return Fit("irregular", float(middles[0]), None, None, None, jitter, tuple(map(float, middles)), None)
    off = np.concatenate([each / max(fitted, 1e-9) - 1 for each, fitted in zip(known, best.fitted, strict=True)])
    return Fit(
        best.kind, float(best.fitted[0]), best.multiplier, best.step_s,
        float(best.fitted[-1]) if best.capped or best.kind == "fixed" else None,
        jitter, tuple(map(float, best.fitted)), float(np.sqrt(np.mean(off**2))), rival,
    )  # fmt: skip


def _leading(samples: Sequence[Sequence[float]]) -> Iterator[Sequence[float]]:
    for each in samples:
        if not each:
            return
        yield each


def _jitter(known: Sequence[Delays]) -> float | None:
    """Half the width of the range as a share of its middle; 0 for none, None where too few samples tell.

    Of n even draws the range is (n - 1) / (n + 1) of the whole.
    """
    shares: list[float] = []
    weights: list[int] = []
    absolute: list[float] = []
    for each in known:
        many = len(each)
        if many < 3:
            continue
        low, high = float(each.min()), float(each.max())
        if many >= 10:  # one outlier is the machine's
            high = float(np.sort(each)[-2])
            many -= 1
        half = (high - low) / 2 * (many + 1) / (many - 1)
        shares.append(half / max((high + low) / 2, 1e-9))
        absolute.append(high - low)
        weights.append(many)
    if not shares:
        return None
    share = float(np.average(shares, weights=weights))
    if share < JITTERY or float(np.median(absolute)) <= UNEVEN_S:
        return 0.0
    return min(1.0, round(share, 3))


def _middle(each: Delays, jitter: float | None) -> float:
    if not jitter:
        return float(np.quantile(each, 0.1))
    return float((each.min() + each.max()) / 2) if len(each) >= 8 else float(each.mean())


def _best(middles: Delays, weights: Delays, jitter: float | None) -> tuple[_Model | None, PolicyKind | None]:
    many = len(middles)
    # The middle of few draws is itself uncertain: an even draw's deviation is 1/sqrt(3) of half its range.
    noise = np.sqrt(FLOOR**2 + (jitter or 0.0) ** 2 / (3 * weights))

    def judged(model: _Model) -> tuple[float, float]:
        off = np.log(np.maximum(model.fitted, 1e-9) / np.maximum(middles, 1e-9))
        worst = float(np.max(np.abs(off) / np.maximum(1, noise / FLOOR)))
        return float(np.sum((off / noise) ** 2)) + model.parameters * math.log(many + 1), worst

    grown = float(middles.max() / max(middles.min(), 1e-9))
    if grown <= SAME or (grown <= 2 * SAME - 1 and float(middles.max() - middles.min()) <= UNEVEN_S):
        return _fixed(middles, weights), None
    scored = sorted((*judged(model), place, model) for place, model in enumerate(_models(middles, weights)))
    score, worst, _, model = scored[0]
    if worst > FITTING:
        return None, None
    return model, next(
        (each.kind for other, _, _, each in scored if each.kind != model.kind and other - score < RIVAL), None
    )


def _fixed(middles: Delays, weights: Delays) -> _Model:
    return _Model("fixed", 1, np.full(len(middles), float(np.average(middles, weights=weights))))


def _models(middles: Delays, weights: Delays) -> Iterator[_Model]:
    yield _fixed(middles, weights)
    for fitted in (_exponential, _linear):
        for growing in range(2, len(middles) + 1):
            found = fitted(middles, weights, growing)
            if found is not None:
                yield found


def _least_squares(values: Delays, weights: Delays) -> tuple[float, float]:
    """Intercept and slope over 0, 1, 2, ..."""
    slope, intercept = np.polyfit(np.arange(len(values)), values, 1, w=np.sqrt(weights))
    return float(intercept), float(slope)


def _capped(middles: Delays, weights: Delays, growing: int, law: Callable[[Delays], Delays]) -> Delays | None:
    """A law for the first delays, and the level of the others, which must be less than the law would say."""
    fitted = law(np.arange(len(middles), dtype=np.float64))
    if growing == len(middles):
        return fitted
    level = float(np.average(middles[growing:], weights=weights[growing:]))
    if not fitted[growing - 1] * 0.98 <= level <= fitted[growing] * 1.02:
        return None
    fitted[growing:] = level
    return fitted


def _exponential(middles: Delays, weights: Delays, growing: int) -> _Model | None:
    start, slope = _least_squares(np.log(np.maximum(middles[:growing], 1e-9)), weights[:growing])
    if slope <= math.log(LEAST):
        return None
    fitted = _capped(middles, weights, growing, lambda places: np.exp(start + slope * places))
    if fitted is None:
        return None
    capped = growing < len(middles)
    return _Model("exponential", 2 + capped, fitted, multiplier=math.exp(slope), capped=capped)


def _linear(middles: Delays, weights: Delays, growing: int) -> _Model | None:
    start, slope = _least_squares(middles[:growing], weights[:growing] / middles[:growing] ** 2)
    if slope <= 0 or start <= 0:
        return None
    fitted = _capped(middles, weights, growing, lambda places: start + slope * places)
    if fitted is None:
        return None
    capped = growing < len(middles)
    return _Model("linear", 2 + capped, fitted, step_s=slope, capped=capped)
