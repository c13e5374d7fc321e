"""From samples to figures: medians of paired differences, and what may be said of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.catalogue import Workload
    from bench.starting import Sample

NOISE: Final = 0.1
"""A difference below this share of its base is noise, and said to be."""

CONFIDENCE: Final = 0.95
"""Of the intervals that are stated, where there are samples enough."""


@dataclass(frozen=True, slots=True)
class Added:
    """What a mode adds to the base, CPU microseconds per message.

    Attributes:
        median_us: of the differences to the base of the same round.
        low_us, high_us: the interval in which the median of all such differences lies, as far as these say.
        confidence: how certainly it does.
        noise: the median is too small a part of the base to be told from nothing.
        spans: spans that arrived per message; other tracers only.
    """

    median_us: float
    low_us: float
    high_us: float
    confidence: float
    noise: bool
    spans: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One workload's results.

    Attributes:
        base_us: median CPU microseconds per message, untraced.
        base_low_us: the smallest.
        base_high_us: the largest.
        added: by mode.
        operations: recorded by msgtrace per message, by kind.
        linked: smallest share of linked receives in any round; None where there are none.
        losses: number by reason, over all rounds.
        beside_us: median CPU microseconds of the collector per operation.
        waits: median of how often a message has the program wait, by mode.
        target_us: for an operation.
    """

    workload: str
    base_us: float
    base_low_us: float
    base_high_us: float
    added: dict[str, Added]
    operations: dict[str, float]
    linked: float | None
    losses: dict[str, int]
    beside_us: float | None
    target_us: float
    waits: dict[str, float]

    @property
    def operations_per_message(self) -> float:
        """All kinds together."""
        return sum(self.operations.values())

    @property
    def per_operation_us(self) -> float | None:
        """What msgtrace adds to an operation, both phases; None when nothing was recorded."""
        traced = self.added.get("msgtrace")
        if traced is None or not self.operations:
            return None
        return traced.median_us / self.operations_per_message

    @property
    def verdict(self) -> str:
        """Whether the target is held: only what the whole interval says is said."""
        traced = self.added.get("msgtrace")
        if traced is None or not self.operations:
            return "not measured"
        low, high = (each / self.operations_per_message for each in (traced.low_us, traced.high_us))
        return "held" if high <= self.target_us else "MISSED" if low > self.target_us else "not resolved"

    @property
    def times_less(self) -> float | None:
        """How many times what msgtrace adds to a message OpenTelemetry adds; None where either is unknown, or nothing."""
        traced, other = self.added.get("msgtrace"), self.added.get("otel")
        if traced is None or other is None or traced.median_us <= 0:
            return None
        return other.median_us / traced.median_us


def figures(workload: Workload, samples: Sequence[Sample]) -> Figures | None:
    """The figures of one workload; None without a base."""
    base = {sample.round: sample.cpu_us for sample in samples if sample.mode == "base"}
    if not base:
        return None
    middle = median(base.values())
    added = {}
    for mode in sorted({sample.mode for sample in samples} - {"base"}):
        paired = [sample for sample in samples if sample.mode == mode and sample.round in base]
        if paired:
            added[mode] = _added(middle, [s.cpu_us - base[s.round] for s in paired], [s.spans for s in paired])
    traced = [sample for sample in samples if sample.mode == "msgtrace"]
    beside = [sample.beside_us for sample in traced if sample.beside_us is not None]
    linked = [sample.linked for sample in traced if sample.linked is not None]
    return Figures(
        workload=workload.name,
        base_us=middle,
        base_low_us=min(base.values()),
        base_high_us=max(base.values()),
        added=added,
        operations={kind: median(s.operations.get(kind, 0.0) for s in traced) for kind in _kinds(traced)},
        linked=min(linked, default=None),
        losses=_sums(sample.losses for sample in traced),
        beside_us=median(beside) if beside else None,
        target_us=workload.target_us,
        waits={m: median(s.waits for s in samples if s.mode == m) for m in sorted({s.mode for s in samples})},
    )


def _added(base: float, differences: Sequence[float], spans: Sequence[float | None]) -> Added:
    middle = median(differences)
    known = [each for each in spans if each is not None]
    low, high, confidence = interval(differences)
    return Added(middle, low, high, confidence, abs(middle) < NOISE * base, median(known) if known else None)


def interval(samples: Sequence[float]) -> tuple[float, float, float]:
    """Where the median of what was sampled lies, whatever its distribution: two of the samples, and how certainly.

    The shortest such interval that is certain by at least `CONFIDENCE`; of fewer than six samples all, and less certain.
    Source: David and Nagaraja, Order Statistics, 3rd edition, section 7.1.
    """
    ordered, count = sorted(samples), len(samples)
    outside, left_out = 2 * 0.5**count, 0
    while True:
        more = outside + 2 * comb(count, left_out + 1) * 0.5**count
        if more > 1 - CONFIDENCE:
            return ordered[left_out], ordered[count - 1 - left_out], max(0.0, 1 - outside)
        outside, left_out = more, left_out + 1


def _kinds(traced: Iterable[Sample]) -> list[str]:
    return sorted({kind for sample in traced for kind in sample.operations})


def _sums(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for reason, count in each.items():
            total[reason] = total.get(reason, 0) + count
    return total
