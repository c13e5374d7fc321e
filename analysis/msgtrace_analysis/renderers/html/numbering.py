"""Numbers event types, services and channels, in the order in which a page lists them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgtrace_analysis.findings import Event, Findings, Service


class Numbering:
    """Numbers of everything in some findings that has a name.

    Attributes:
        channels: system, kind and name of each channel that event types are published to.
    """

    def __init__(self, findings: Findings) -> None:
        self._events = {each.ref: number for number, each in enumerate(findings.events)}
        self._known = {each.name: each for each in findings.stack.services}
        names = set(self._known)
        for each in findings.traffic:
            names |= {name for name in (each.source, each.target) if name is not None}
        for event in findings.events:
            names |= {party.place.service for party in (*event.publishers, *event.consumers)}
        for found in findings.topology.channels:
            names |= set(found.declared_by)
        names |= {each.service for each in findings.topology.subscriptions}
        names |= {each.service for execution in findings.executions for each in execution.moments}
        for flow in findings.flows:
            names.add(flow.trigger.service)
        self._services = {name: number for number, name in enumerate(sorted(names))}
        self.channels = sorted({_channel(each) for each in findings.events})
        self._channels = {channel: number for number, channel in enumerate(self.channels)}

    def event(self, ref: str) -> int | None:
        """The number of an event type; None where there is no such."""
        return self._events.get(ref)

    def known_events(self, refs: Iterable[str]) -> list[int]:
        """The numbers of those that there are."""
        return [self._events[ref] for ref in refs if ref in self._events]

    def service(self, name: str | None) -> int | None:
        """The number of a service; None where there is none."""
        return None if name is None else self._services.get(name)

    def channel(self, event: Event) -> int:
        """The number of the channel that an event type is published to."""
        return self._channels[_channel(event)]

    def services(self) -> Iterator[tuple[str, Service | None]]:
        """All services, by number, and what is known of their processes."""
        for name in self._services:
            yield name, self._known.get(name)


def _channel(event: Event) -> tuple[str, str, str]:
    return event.system, event.channel_kind, event.address
