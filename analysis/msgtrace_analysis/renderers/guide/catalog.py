"""Event Catalog: which event types stand where, what their handlers say of themselves, which fields may be missing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.guide.failing import when_consumers_fail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace_analysis.findings import Contract, Event, Findings, Place


@dataclass(frozen=True, slots=True)
class Group:
    """A subsection.

    Attributes:
        about: what is in it.
        nothing: what is said when nothing is, and how to see it.
    """

    heading: str
    about: str
    nothing: str
    events: Sequence[Event]


ABOUT: Final = {
    "Domain Events": (
        "What tells that something happened, or how something is, and stays within one service.",
        "No such event was seen: record a run in which the program does what it announces within itself.",
    ),
    "Integration Events": (
        "What tells other services that something happened, or how something is.",
        "No service was seen to tell another anything: record more than one service, while they work together.",
    ),
    "Command Events": (
        "What asks a service to do or to tell something, and the replies.",
        "No message was seen that asks for something: record a run in which one service asks another.",
    ),
}


def values(findings: Findings) -> dict[str, Any]:
    """Groups, docstrings and failures."""
    placed: dict[str, list[Event]] = {heading: [] for heading in ABOUT}
    for event in findings.events:
        placed[heading_of(event)].append(event)
    documented = {(each.service, each.site, each.name): each for each in findings.handlers}

    def handler(place: Place) -> Any:
        return documented.get((place.service, place.site, place.name))

    return {
        "groups": [Group(heading, *ABOUT[heading], events) for heading, events in placed.items()],
        "handler": handler,
        "failing": when_consumers_fail(findings),
        "loose": loose_fields(findings.contracts),
        "rate_of": {each.subject: each for each in findings.frequencies.of("event")},
        "uses_of": {event.ref: [use for use in findings.uses if use.event == event.ref] for event in findings.events},
    }


def heading_of(event: Event) -> str:
    """Where an event type stands: documents and signals tell as events do, and queries and replies go with commands."""
    kind = event.judgement.kind
    if kind in {"command", "query", "reply"}:
        return "Command Events"
    if kind in {"domain event", "integration event"}:
        return "Domain Events" if kind == "domain event" else "Integration Events"
    services = {party.place.service for party in (*event.publishers, *event.consumers)}
    return "Integration Events" if len(services) > 1 else "Domain Events"


def loose_fields(contracts: Sequence[Contract]) -> dict[str, tuple[list[Any], list[Any]]]:
    """Event type -> fields that were not always there, and fields that were null."""
    return {
        each.event: (
            [field for field in each.fields if field.present < field.of],
            [field for field in each.fields if field.nulls],
        )
        for each in contracts
        if each.samples
    }
