"""What an alert rule is made from: findings that tell what is usual, and how a rule and its absence are put. Pure.

docs/alerts.md says how each threshold comes about. None is `exact`: what was usual in a recording need not be so at other
times, and where a lower limit of ours decides, or little was seen, it is a `guess`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Alert, Unwatched
from msgtrace_analysis.passes.exporters import Spot

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgtrace_analysis.findings import (
        Certainty,
        Channel,
        DeadLetters,
        Evidence,
        Frequencies,
        Guarantees,
        Topology,
        Watch,
    )
    from msgtrace_analysis.passes.exporters import Query

FEWEST: Final = 20
"""Messages below which nothing is called usual."""
MANY: Final = 100
"""Messages, and seconds of a recording, from which on a threshold is `likely`."""
LONG_S: Final = 60
FOR_S: Final = 300


@dataclass(frozen=True, slots=True)
class Usual:
    """The findings that tell what is usual."""

    guarantees: Guarantees
    topology: Topology
    dead_letters: DeadLetters
    frequencies: Frequencies

    def spot(self, system: str, kind: str, channel: str, group: str = "") -> Spot:
        """A channel, with what the topology knows of it."""
        known = self.channel(system, channel, (kind,))
        hosts = () if known is None else known.virtual_hosts
        return Spot(
            system, kind, channel, group, hosts[0] if len(hosts) == 1 else "", known is not None and known.alike > 1
        )

    def channel(self, system: str, name: str, kinds: Sequence[str]) -> Channel | None:
        """The channel of a name, of the first of some kinds."""
        found = {each.kind: each for each in self.topology.channels if (each.system, each.name) == (system, name)}
        return next((found[kind] for kind in kinds if kind in found), None)

    def certainty(self, messages: int, *, least: bool = False) -> Certainty:
        """How sure a threshold is.

        Args:
            messages: that it was read from.
            least: a lower limit of ours decided, and not what was seen.
        """
        return "likely" if messages >= MANY and self.frequencies.seconds >= LONG_S and not least else "guess"


def alert(
    name: str, watches: Watch, spot: Spot, query: Query, *, threshold: float, unit: str, observed: float | None,
    reason: str, names: tuple[str, ...], certainty: Certainty, evidence: Evidence | None, services: Iterable[str] = (),
    subject: str = "", silence: bool = False, for_s: int = FOR_S,
) -> Alert:  # fmt: skip
    """A rule: that a query is above a threshold, or of silence, that it is nothing."""
    limit = threshold if silence else round_up(threshold)
    return Alert(
        name=name, watches=watches, system=spot.system, channel=spot.channel, channel_kind=spot.kind, group=spot.group,
        subject=subject, services=tuple(services),
        expression=f"({query.promql} or vector(0)) == 0" if silence else f"{query.promql} > {limit:.10g}",
        metrics=query.metrics, for_s=for_s, threshold=limit, unit=unit,
        observed=None if observed is None else float(f"{observed:.3g}"), reason=reason, names=names, certainty=certainty,
        evidence=evidence,
    )  # fmt: skip


def unwatched(watches: Watch, spot: Spot, reason: str, *names: str, subject: str = "") -> Unwatched:
    """What there is no rule for."""
    return Unwatched(watches, spot.system, spot.channel, spot.kind, spot.group, subject, reason, names)


def round_up(value: float) -> float:
    """Two digits, never less.

    >>> round_up(123.0), round_up(0.0311), round_up(0)
    (130.0, 0.032, 0.0)
    """
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(round(value / unit, 9)) * unit:.2g}")
