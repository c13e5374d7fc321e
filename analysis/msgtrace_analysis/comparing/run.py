"""Reads EVENT_FLOWS.json: what comparing needs of a run, and the one place that knows how the file names it.

A trace is compared through the same file, so that a trace and its saved report compare the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from msgtrace_analysis.renderers.event_flows import FORMAT, VERSION


class ReportError(Exception):
    """What was read is no report of ours; the message says why."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How many operations a statement rests on."""

    operations: int


@dataclass(frozen=True, slots=True)
class Place:
    """Code."""

    service: str
    name: str
    site: str | None

    @property
    def label(self) -> str:
        """The function, or the file where none is known: lines move with every edit."""
        return self.name or (self.site or "").rpartition(":")[0] or (self.site or "")


@dataclass(frozen=True, slots=True)
class Party(Place):
    """Code that publishes or consumes an event type."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an event type's body."""

    name: str
    samples: int
    counts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What all bodies, or headers beside them, say their version is."""

    said_by: str
    version: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event type."""

    id: str
    name: str
    channel: str
    channel_kind: str
    sent: int
    received: int
    producers: tuple[Party, ...]
    consumers: tuple[Party, ...]
    schema_samples: int
    schema_counts: dict[str, Any] | None
    versioned_by: str | None
    version_said: Said | None
    versions: tuple[Version, ...]

    @property
    def messages(self) -> int:
        """Those that were sent; where no send was seen, those that the busiest consumer got."""
        return self.sent or max((each.evidence.operations for each in self.consumers), default=self.received)


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in milliseconds, each with its 99% interval."""

    messages: int
    p50_ms: float
    p95_ms: float
    p50_between_ms: tuple[float, float] | None
    p95_between_ms: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Delivery(Place):
    """Messages of a step that one place received."""

    observed: Latency | None


@dataclass(frozen=True, slots=True)
class Step:
    """An event type within a flow."""

    name: str
    event: str
    publisher: str
    while_handling: Place | None
    after_triggers: int
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """What followed from one trigger."""

    group: str
    name: str
    triggered: int
    end_to_end: Latency | None
    events: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A retry policy."""

    kind: str
    initial_delay_s: float | None
    multiplier: float | None
    step_s: float | None
    max_delay_s: float | None
    jitter: float | None
    max_attempts: int | None
    then: str
    then_to: str | None


@dataclass(frozen=True, slots=True)
class Observed:
    """How one consumer's messages were tried again."""

    service: str
    system: str
    channel: str
    place: Place
    mechanism: str
    policy: Policy
    messages: int


@dataclass(frozen=True, slots=True)
class Declared:
    """A policy that code or configuration states."""

    source: str
    service: str
    system: str
    channel: str | None
    place: Place
    policy: Policy


@dataclass(frozen=True, slots=True)
class Retrying:
    """All policies."""

    observed: tuple[Observed, ...]
    declared: tuple[Declared, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """How often."""

    scope: str
    subject: str
    side: str
    messages: int
    per_second: float | None
    low: float | None
    high: float | None
    interval: str
    fano_factor: float | None


@dataclass(frozen=True, slots=True)
class Frequencies:
    """All rates."""

    seconds: float
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """The trace itself."""

    trace_id: str
    msgtrace_version: str
    operations: int
    still_recording: bool
    links_incomplete: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as its report tells it."""

    trace: Recording
    flows: tuple[Flow, ...]
    event_catalog: tuple[Event, ...]
    retrying: Retrying
    frequencies: Frequencies


def read_run(text: str) -> Run:
    """The run that EVENT_FLOWS.json tells of.

    Raises:
        ReportError: the text is no such file, or one of another version.
    """
    try:
        # Not msgspec's own decoder: names may hold halves of surrogate pairs, which it refuses.
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReportError("is no report: EVENT_FLOWS.json is what `msgtrace report` writes")
    if document.get("version") != VERSION:
        raise ReportError(f"is of version {document.get('version')!r}, and this msgtrace reads version {VERSION}")
    try:
        return msgspec.convert(document, Run)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ReportError(f"was written by another version of msgtrace, or is damaged: {error}") from None
