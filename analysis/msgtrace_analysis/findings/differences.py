"""How two runs of a system differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings.catalog import Verdict
    from msgtrace_analysis.findings.evidence import Certainty

Aspect = Literal[
    "event", "field", "version", "publisher", "subscriber", "flow", "step", "retry policy", "latency", "rate"
]
ASPECTS: Final[tuple[Aspect, ...]] = (
    "event", "field", "version", "publisher", "subscriber", "flow", "step", "retry policy", "latency", "rate"
)  # fmt: skip
"""In the order in which they are told."""
MEASURED: Final[frozenset[Aspect]] = frozenset({"latency", "rate"})
"""What depends on the machine as well as on the system."""
How = Literal["appeared", "vanished", "changed", "not seen", "not seen before"]
"""`not seen` is what would be `vanished`, were there enough messages in HEAD to tell; `not seen before` likewise in BASE."""
Compatibility = Literal["forward", "backward", "full", "none"]
"""What a step from BASE to HEAD must keep, in the sense of Confluent's registry: `forward`, readers of BASE read HEAD's
messages; `backward`, readers of HEAD read BASE's messages; both; neither."""


Compared = tuple[Aspect, str, str]
"""Aspect, subject and where of what was looked at."""


@dataclass(frozen=True, slots=True)
class Delta:
    """One difference between two runs.

    Attributes:
        subject: the event type's name, the flow's, or the channel whose messages are tried again.
        part: of the subject: a field's path, a service and its code, a step; '' for the whole.
        where: what tells subjects of one name apart: the event type's id, the flow's service; '' where nothing need.
        what: how it changed, where that has a name: `required field removed`; '' elsewhere.
        base: what BASE has, in a few words; '' for nothing.
        head: what HEAD has.
        verdict: of a change of bodies: what it leaves, as of a step between versions; None elsewhere.
        breaking: why who relies on BASE gets into trouble with HEAD; '' where nobody need.
        certainty: `guess` is a difference that chance may show.
        chance: the probability that as much is seen when nothing is different; None where it was not estimated.
    """

    aspect: Aspect
    how: How
    subject: str
    part: str
    where: str
    what: str
    base: str
    head: str
    verdict: Verdict | None
    breaking: str
    certainty: Certainty
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """A run that is compared.

    Attributes:
        seconds: that its trace covers.
        note: what must be known of it; '' for nothing.
    """

    trace_id: str
    msgtrace_version: str
    operations: int
    seconds: float
    note: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences.

    Attributes:
        deltas: by aspect, subject and part.
        compared: event types, flows and retry policies of both; what has no delta is the same.
        keeps: the compatibility by which changes of bodies were judged.
    """

    base: Side
    head: Side
    deltas: tuple[Delta, ...]
    compared: tuple[Compared, ...]
    keeps: Compatibility
