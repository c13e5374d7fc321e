"""Draws flows as Mermaid flowcharts that hold together whatever the names in them are. Pure.

In a quoted label Mermaid knows `#NN;` for a character by its number, and nothing else has a meaning once every
character that could have one is written so: https://mermaid.js.org/syntax/flowchart.html#special-characters-that-break-syntax.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import weakest
from msgtrace_analysis.renderers.markdown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgtrace_analysis.findings import Certainty, Flow, Place, Traffic

MAX_EDGES: Final = 60
"""More arrows than this can't be read; the most travelled are drawn."""
LABEL_CHARACTERS: Final = 60

_PLAIN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._/,+-:()={}"
    "\N{MULTIPLICATION SIGN}\N{HORIZONTAL ELLIPSIS}"
)
_ARROWS: Final[dict[Certainty, str]] = {"exact": "-->", "likely": "-.->", "guess": "-.->"}
Edge = tuple[str, str, str, int, "Certainty"]
"""From, to (keys of nodes), label, messages, certainty."""


def label(text: str) -> str:
    """A quoted label.

    What does not begin with a letter could be taken for the beginning of a Markdown list, which labels can't have.

    >>> label('"]; end')
    '"#34;#93;#59; end"'
    >>> label("1. x")
    '"#49;. x"'
    """
    shown = visible(text, LABEL_CHARACTERS) or "?"
    written = [each if each in _PLAIN else f"#{ord(each)};" for each in shown]
    if not shown[0].isalpha():
        written[0] = f"#{ord(shown[0])};"
    return f'"{"".join(written)}"'


def flowchart(nodes: dict[str, str], edges: Sequence[Edge]) -> tuple[str, int]:
    """Draw a graph.

    Args:
        nodes: key -> what is written in it.
        edges: see `Edge`.

    Returns:
        the diagram's source, and how many arrows were left out.
    """
    drawn = sorted(edges, key=lambda edge: (-edge[3], edge[:3]))[:MAX_EDGES]
    drawn.sort(key=edges.index)
    numbers: dict[str, str] = {}
    lines = ["flowchart LR"]
    for source, target, *_ in drawn:
        for key in (source, target):
            if key not in numbers:
                numbers[key] = f"n{len(numbers)}"
                lines.append(f"    {numbers[key]}[{label(nodes[key])}]")
    for source, target, name, messages, certainty in drawn:
        doubt = "" if certainty == "exact" else f" ({certainty})"
        shown = label(f"{visible(name, LABEL_CHARACTERS - 24)} \N{MULTIPLICATION SIGN}{messages}{doubt}")
        lines.append(f"    {numbers[source]} {_ARROWS[certainty]}|{shown}| {numbers[target]}")
    return "\n".join(lines), len(edges) - len(drawn)


def place_key(place: Place) -> str:
    """What makes two places one node."""
    return f"{place.kind} {place.service} {place.name} {place.site}"


def place_label(place: Place) -> str:
    """What is written in a place's node."""
    name = place.name or place.site or "unknown code"
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
        edges.append((source, target, each.name, each.messages, each.certainty))
    return flowchart(nodes, _added(edges))


def flow_diagram(flow: Flow) -> tuple[str, int]:
    """One flow: its trigger, and the code that handles what follows."""
    nodes = {place_key(flow.trigger): place_label(flow.trigger)}
    edges: list[Edge] = []
    for step in flow.steps:
        source = place_key(step.because)
        nodes.setdefault(source, place_label(step.because))
        for delivery in step.deliveries:
            target = place_key(delivery.place)
            nodes.setdefault(target, place_label(delivery.place))
            certainty = weakest((step.evidence.certainty, delivery.certainty))
            edges.append((source, target, step.name, delivery.messages, certainty))
        if step.unreceived:
            target = f"nobody {step.event}"
            nodes.setdefault(target, "no receive in the trace")
            edges.append((source, target, step.name, step.unreceived, step.evidence.certainty))
    return flowchart(nodes, _added(edges))


def _added(edges: Iterable[Edge]) -> list[Edge]:
    """One arrow for what differs only in the line that it was sent from."""
    sums: defaultdict[tuple[str, str, str], list[tuple[int, Certainty]]] = defaultdict(list)
    for source, target, name, messages, certainty in edges:
        sums[source, target, name].append((messages, certainty))
    return [(*key, sum(n for n, _ in parts), weakest(c for _, c in parts)) for key, parts in sums.items()]
