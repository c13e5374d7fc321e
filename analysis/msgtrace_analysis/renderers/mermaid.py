"""Draws flows as Mermaid flowcharts that hold together whatever the names in them are. Pure.

In a quoted label Mermaid knows `#NN;` for a character by its number, and nothing else has a meaning once every
character that could have one is written so: https://mermaid.js.org/syntax/flowchart.html#special-characters-that-break-syntax.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import weakest
from msgtrace_analysis.renderers.markdown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from msgtrace_analysis.findings import Certainty, Flow, Place, Traffic

MAX_EDGES: Final = 60
"""More arrows than this can't be read; the most travelled are drawn."""
LABEL_CHARACTERS: Final = 60

_PLAIN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._/,+-:()={}"
    "\N{MULTIPLICATION SIGN}\N{HORIZONTAL ELLIPSIS}"
)
_ARROWS: Final[dict[Certainty, str]] = {"exact": "-->", "likely": "-.->", "guess": "-.->"}


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow.

    Attributes:
        source: key of a node.
        target: key of a node.
        name: what is sent.
        messages: different ones.
        receives: deliveries of them; 0 where there is no receiver.
        p95_ms: what 95 % of them take, where that was measured.
    """

    source: str
    target: str
    name: str
    messages: int
    receives: int
    certainty: Certainty
    p95_ms: float | None = None


def label(text: str) -> str:
    """A quoted label.

    What does not begin with a letter could be taken for the beginning of a Markdown list, which labels can't have.

    >>> label('"]; end')
    '"#34;#93;#59; end"'
    >>> label("1. x")
    '"#49;. x"'
    """
    return f'"{escaped(text)}"'


def escaped(text: str) -> str:
    """Text in which every character that could have a meaning is written by its number."""
    shown = visible(text, LABEL_CHARACTERS) or "?"
    written = [each if each in _PLAIN else f"#{ord(each)};" for each in shown]
    if not shown[0].isalpha():
        written[0] = f"#{ord(shown[0])};"
    return "".join(written)


def duration(value_ms: float) -> str:
    """A time, to three digits that matter.

    >>> duration(0.1234), duration(12.0), duration(81_234.0)
    ('0.123 ms', '12 ms', '81.23 s')
    """
    return f"{value_ms:.3g} ms" if value_ms < 1000 else f"{value_ms / 1000:,.2f} s"


def flowchart(nodes: Mapping[str, str], edges: Iterable[Edge]) -> tuple[str, int]:
    """Draw a graph.

    Args:
        nodes: key -> what is written in it.
        edges: arrows; those that differ in numbers only become one.

    Returns:
        the diagram's source, and how many arrows were left out.
    """
    added = _added(edges)
    most = sorted(range(len(added)), key=lambda place: -added[place].messages)[:MAX_EDGES]
    drawn = [added[place] for place in sorted(most)]
    numbers: dict[str, str] = {}
    lines = ["flowchart LR"]
    for edge in drawn:
        for key in (edge.source, edge.target):
            if key not in numbers:
                numbers[key] = f"n{len(numbers)}"
                lines.append(f"    {numbers[key]}[{label(nodes[key])}]")
    lines += [
        f"    {numbers[edge.source]} {_ARROWS[edge.certainty]}|{_edge_label(edge)}| {numbers[edge.target]}"
        for edge in drawn
    ]
    return "\n".join(lines), len(added) - len(drawn)


def _edge_label(edge: Edge) -> str:
    again = f", {edge.receives} receives" if edge.receives > edge.messages else ""
    doubt = "" if edge.certainty == "exact" else f" ({edge.certainty})"
    time = "" if edge.p95_ms is None else f", p95 {duration(edge.p95_ms)}"
    count = f" \N{MULTIPLICATION SIGN}{edge.messages}{again}{time}{doubt}"
    return label(visible(edge.name, LABEL_CHARACTERS - len(count)) + count)


def _added(edges: Iterable[Edge]) -> list[Edge]:
    sums: dict[tuple[str, str, str], Edge] = {}
    for edge in edges:
        key = edge.source, edge.target, edge.name
        known = sums.get(key)
        sums[key] = (
            edge
            if known is None
            else replace(
                known,
                messages=known.messages + edge.messages,
                receives=known.receives + edge.receives,
                certainty=weakest((known.certainty, edge.certainty)),
                p95_ms=max((each for each in (known.p95_ms, edge.p95_ms) if each is not None), default=None),
            )
        )
    return list(sums.values())


def place_key(place: Place) -> str:
    """What makes two places one node."""
    return f"{place.kind} {place.service} {place.name} {place.site}"


def place_label(place: Place) -> str:
    """What is written in a place's node."""
    name = place.name or place.site or "library code"
    if place.kind == "outside":
        return f"outside the trace → {place.service}: {name}"
    return f"{place.service}: {name}"


def overview(traffic: Iterable[Traffic]) -> tuple[str, int]:
    """Services, and what goes between them. Events on a bus stay inside of one and are left out."""
    edges: list[Edge] = []
    nodes: dict[str, str] = {}
    for each in traffic:
        if each.channel_kind == "bus":
            continue
        source = "outside" if each.source is None else f"service {each.source}"
        target = "nowhere" if each.target is None else f"service {each.target}"
        nodes[source] = "outside the trace" if each.source is None else each.source
        nodes[target] = "no receive in the trace" if each.target is None else each.target
        edges.append(Edge(source, target, each.name, each.messages, each.receives, each.certainty))
    return flowchart(nodes, edges)


def flow_diagram(flow: Flow) -> tuple[str, int]:
    """One flow: its trigger, and the code that handles what follows."""
    nodes = {place_key(flow.trigger): place_label(flow.trigger)}
    edges: list[Edge] = []
    for step in flow.steps:
        handled = step.because or flow.trigger
        source = place_key(handled)
        nodes.setdefault(source, place_label(handled))
        for delivery in step.deliveries:
            target = place_key(delivery.place)
            nodes.setdefault(target, place_label(delivery.place))
            certainty = weakest((step.evidence.certainty, delivery.certainty))
            p95_ms = None if delivery.latency is None else delivery.latency.p95_ms
            edges.append(Edge(source, target, step.name, delivery.messages, delivery.receives, certainty, p95_ms))
        if step.unreceived:
            target = f"nobody {step.event}"
            nodes.setdefault(target, "no receive in the trace")
            edges.append(Edge(source, target, step.name, step.unreceived, 0, step.evidence.certainty))
    return flowchart(nodes, edges)
