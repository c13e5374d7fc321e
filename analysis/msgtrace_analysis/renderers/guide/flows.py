"""Message Flows: which workflows come first, which of their ways are told, and who reacts to what. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers import mermaid
from msgtrace_analysis.renderers.saga_machine import saga_diagram
from msgtrace_analysis.renderers.sequence import sequence_diagram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.findings import Evidence, Findings, Flow, Handler, Place, Variant

MOST: Final = 30
"""Workflows with diagrams; the others are rows of a table."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """A handler, what it handles, and what is sent because of that."""

    place: Place
    handles: tuple[str, ...]
    sends: tuple[str, ...]
    handler: Handler | None
    evidence: tuple[Evidence, ...]


def values(findings: Findings) -> dict[str, Any]:
    """Workflows, diagrams and reactions."""
    overview = mermaid.overview(findings.traffic)
    return {
        "workflows": sorted((flow for flow in findings.flows if flow.steps), key=_rank),
        "most": MOST,
        "empty_flows": sorted((flow for flow in findings.flows if not flow.steps), key=lambda flow: -flow.triggered),
        "services_of": services_of,
        "told_ways": told_ways,
        "flow_diagram": mermaid.flow_diagram,
        "sequence_diagram": sequence_diagram,
        "saga_diagram": saga_diagram,
        "overview": overview if "|" in overview[0] else None,
        "reactions": list(reactions(findings)),
    }


def services_of(flow: Flow) -> list[str]:
    """That send or receive in it."""
    found = {flow.trigger.service}
    for step in flow.steps:
        found.add(step.publisher.service)
        found.update(each.place.service for each in step.deliveries)
    return sorted(found)


def _rank(flow: Flow) -> tuple[Any, ...]:
    failed = any(each.failed for step in flow.steps for each in step.deliveries)
    return len(services_of(flow)) < 2, not failed, -flow.triggered, flow.group, flow.name


def told_ways(flow: Flow) -> list[Variant]:
    """The usual way, and the most frequent one in which something failed."""
    usual = [each for each in flow.variants if not each.failed][:1]
    failing = [each for each in flow.variants if each.failed][:1]
    return [*usual, *failing]


def reactions(findings: Findings) -> Iterator[Reaction]:
    """Every handler that was given to a library."""
    handles: defaultdict[Place, dict[str, Evidence]] = defaultdict(dict)
    for event in findings.events:
        for party in event.consumers:
            if party.place.kind == "handler":
                handles[party.place][event.ref] = party.evidence
    sends: defaultdict[Place, set[str]] = defaultdict(set)
    for flow in findings.flows:
        for step in flow.steps:
            if step.because is not None:
                sends[step.because].add(step.event)
    known = {(each.service, each.site, each.name): each for each in findings.handlers}
    for place, events in sorted(handles.items(), key=lambda item: (item[0].service, item[0].site, item[0].name)):
        handler = known.get((place.service, place.site, place.name))
        yield Reaction(place, tuple(events), tuple(sorted(sends[place])), handler, tuple(events.values()))
