"""Draws one way of a flow as a Mermaid sequence diagram that holds together whatever the names in it are. Pure.

Texts hold `#NN;` for every character that could have a meaning: https://mermaid.js.org/syntax/sequenceDiagram.html#entity-codes-to-escape-characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.mermaid import LABEL_CHARACTERS, duration, escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.findings import Delivery, Flow, Hop, Variant

MAX_HOPS: Final = 60
"""More messages than this can't be read."""
CALLER: Final = "caller"
NOBODY: Final = "no receive in the trace"


def sequence_diagram(flow: Flow, variant: Variant) -> tuple[str, int]:
    """One way of a flow: its services, and what goes between them, first things first.

    Returns:
        the diagram's source, and how many messages were left out.
    """
    drawing = _Drawing(flow)
    hops = [hop for hop in variant.hops if hop.publisher is not None]
    lines = [*drawing.trigger(variant)]
    for hop in hops[:MAX_HOPS]:
        lines += drawing.hop(hop)
    if flow.end_to_end is not None and drawing.numbers:
        total = f"end to end: p50 {duration(flow.end_to_end.p50_ms)}, p95 {duration(flow.end_to_end.p95_ms)}"
        lines.append(f"    Note over p0: {escaped(total)}")
    named = [f"    participant p{number} as {escaped(name)}" for name, number in drawing.numbers.items()]
    return "\n".join(["sequenceDiagram", *named, *lines]), max(0, len(hops) - MAX_HOPS)


class _Drawing:
    """A diagram while it is drawn: participants get their numbers in the order in which they take part."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.numbers: dict[str, int] = {}
        self._deliveries: dict[tuple[str, str, str], Delivery] = {
            (step.event, _key(step.publisher), _key(each.place)): each
            for step in flow.steps
            for each in step.deliveries
        }

    def _of(self, name: str) -> str:
        return f"p{self.numbers.setdefault(name, len(self.numbers))}"

    def trigger(self, variant: Variant) -> Iterator[str]:
        """How it begins, where something comes in."""
        if self.flow.trigger.kind not in {"route", "connection", "outside"}:
            return
        failed = next((hop.outcome for hop in variant.hops if hop.publisher is None), "")
        text = self.flow.name + (f", {failed}" if failed else "")
        yield f"    {self._of(CALLER)}{'-x' if failed else '->>'}{self._of(self.flow.trigger.service)}: {escaped(text)}"

    def hop(self, hop: Hop) -> Iterator[str]:
        """A message, and what its handler took."""
        if hop.publisher is None:
            return
        source = self._of(hop.publisher.service)
        target = self._of(NOBODY if hop.target is None else hop.target.service)
        known = None if hop.target is None else self._deliveries.get((hop.event, _key(hop.publisher), _key(hop.target)))
        time = "" if known is None or known.latency is None else f", p95 {duration(known.latency.p95_ms)}"
        notes = f"{time}{', dead-lettered' if hop.dead_lettered else ''}{f', {hop.outcome}' if hop.outcome else ''}"
        name = visible(hop.name, LABEL_CHARACTERS - len(notes))
        yield f"    {source}{'-x' if hop.outcome else '-)'}{target}: {escaped(name + notes)}"
        if hop.target is not None and known is not None and known.handling is not None:
            handler = visible(hop.target.name or hop.target.site, LABEL_CHARACTERS - 24)
            yield f"    Note over {target}: {escaped(f'{handler}: p95 {duration(known.handling.p95_ms)}')}"


def _key(place: object) -> str:
    return repr(place)
