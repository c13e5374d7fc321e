"""Where in the guide an event type has its section. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.renderers.markdown import Safe, code, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import Event

LONGEST: Final = 60


class Anchors:
    """Links to event types.

    Args:
        events: all of them.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self._names: dict[str, str] = {}
        self._events = {event.ref: event for event in events}
        taken: set[str] = set()
        for event in self._events.values():
            slug = (
                re.sub(r"[^a-z0-9]+", "-", f"{event.name}-on-{event.address}".lower()).strip("-")[:LONGEST].strip("-")
            )
            name = next(each for n in range(len(taken) + 2) if (each := f"{slug}-{n}" if n else slug) not in taken)
            taken.add(name)
            self._names[event.ref] = name

    def event_heading(self, ref: str) -> Safe:
        """What stands in the heading of an event type's section."""
        return Safe(f'<a id="event-{self._names[ref]}"></a>{self.event_name(ref)}')

    def schema_heading(self, ref: str) -> Safe:
        """What stands in the heading of its contract's section."""
        return Safe(f'<a id="schema-{self._names[ref]}"></a>{self.event_name(ref)}')

    def event_name(self, ref: str) -> Safe:
        """Name and address."""
        event = self._events[ref]
        return Safe(f"{code(event.name)} on {self.address(ref)}")

    def address(self, ref: str) -> Safe:
        """What an event type is sent to."""
        event = self._events[ref]
        return Safe(f"{text(event.system)} {text(event.channel_kind)} {code(event.address)}")

    def event_link(self, ref: str) -> Safe:
        """The name, leading to the section of the event type."""
        return Safe(f"[{code(self._events[ref].name)}](#event-{self._names[ref]})")

    def schema_link(self, ref: str) -> Safe:
        """Leads to the section of the event type's contract."""
        return Safe(f"[schema](#schema-{self._names[ref]})")
