"""What to be alerted of, from what was observed: rules for Prometheus, and what no rule could be made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Certainty, Evidence

Watch = Literal["queue depth", "processing delay", "error rate", "dead letters", "heartbeat"]
"""What is watched: messages that wait, for how long, handlers that fail, dead letters that grow in number, a schedule that
is not kept."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule for Prometheus.

    Attributes:
        name: of the alert, the same for all of a kind.
        channel: that it is of, and `group` the consumer group; '' without one.
        subject: the event type, of a heartbeat; '' else.
        expression: PromQL that has a value while something is wrong.
        metrics: names of the metrics in it, and what each comes from and how that has to be set up.
        for_s: how long it must be wrong before somebody is told.
        threshold: that the expression compares with, in `unit`.
        observed: what was seen in the recording, in the same unit; None where nothing was that would be a number.
        reason: why the threshold is that, a sentence with `{0}`, `{1}`, ... for `names`.
        certainty: of the threshold; never `exact`, for a recording does not tell what is normal at other times.
        evidence: the operations of the baseline; None where it rests on a declaration alone.
    """

    name: str
    watches: Watch
    system: str
    channel: str
    channel_kind: str
    group: str
    subject: str
    services: tuple[str, ...]
    expression: str
    metrics: tuple[tuple[str, str], ...]
    for_s: int
    threshold: float
    unit: str
    observed: float | None
    reason: str
    names: tuple[str, ...]
    certainty: Certainty
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Unwatched:
    """What no rule was made for.

    Attributes:
        reason: why, a sentence with `{0}`, `{1}`, ... for `names`.
    """

    watches: Watch
    system: str
    channel: str
    channel_kind: str
    group: str
    subject: str
    reason: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alerts:
    """All rules, in the order of what they watch.

    Attributes:
        note: what a reader must know before relying on them; '' for nothing.
    """

    rules: tuple[Alert, ...] = ()
    unwatched: tuple[Unwatched, ...] = ()
    note: str = ""
