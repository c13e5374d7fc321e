"""Single executions of flows, as they were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgtrace_analysis.findings.evidence import Certainty


@dataclass(frozen=True, slots=True)
class Moment:
    """One operation of an execution.

    Attributes:
        kind: `trigger`, `send`, `receive`, `process`, `settle` or `call`.
        event: the event type's id, and `name` its name; '' where it is of no message.
        channel: that it names itself.
        at_ns: since the execution's beginning, by the clock of its own machine.
        duration_ns: None where its end was not seen.
        follows: operation that it follows from; None for the first, and where none was found.
        certainty: of that.
        outcome: as it was recorded, e.g. `ok`, `ack`, `raised`.
    """

    operation_id: int
    kind: str
    service: str
    event: str
    name: str
    channel: str
    at_ns: int
    duration_ns: int | None
    follows: int | None
    certainty: Certainty
    outcome: str
    error_type: str
    function: str
    site: str


@dataclass(frozen=True, slots=True)
class Execution:
    """What followed from one trigger.

    Attributes:
        flow: place of its flow among the findings' flows.
        variant: place of its variant among that flow's.
        begun_ns: when.
        moments: in the order in which they happened; what follows from another stands after it.
        left_out: operations beyond those that are kept.
    """

    flow: int
    variant: int
    begun_ns: int
    moments: tuple[Moment, ...]
    left_out: int
