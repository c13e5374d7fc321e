"""Diagrams hold together whatever names are in them.

The labels are held to a grammar that is stricter than Mermaid's own; that Mermaid draws it was tried with mermaid 11.
"""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.findings import Delivery, Evidence, Flow, Place, Step, Traffic
from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.mermaid import LABEL_CHARACTERS, MAX_EDGES, flow_diagram, label, overview
from tests.analysis.hostile import NAMES

LABEL = r'"(?:[A-Za-z0-9 ._/,+\-:()={}×…]|#[0-9]+;)+"'
NODE = re.compile(rf"    n[0-9]+\[{LABEL}\]")
EDGE = re.compile(rf"    n[0-9]+ (?:-->|-\.->)\|{LABEL}\| n[0-9]+")
EVIDENCE = Evidence(1, (1,), 1, 1, "exact")


def read(written: str) -> str:
    return re.sub(r"#([0-9]+);", lambda found: chr(int(found[1])), written[1:-1])


@given(st.text() | st.sampled_from(NAMES))
def test_a_label_says_what_it_was_given_in_characters_without_a_meaning(value: str) -> None:
    written = label(value)
    assert re.fullmatch(LABEL, written)
    assert read(written) == (visible(value, LABEL_CHARACTERS) or "?")


def assert_drawn(diagram: str, edges: int) -> None:
    first, *lines = diagram.split("\n")
    assert first == "flowchart LR"
    assert all(NODE.fullmatch(line) or EDGE.fullmatch(line) for line in lines), diagram
    assert sum(bool(EDGE.fullmatch(line)) for line in lines) == edges


def flow_of(names: tuple[str, ...]) -> Flow:
    trigger = Place("route", names[0], names[0], "")
    steps = [
        Step(
            event=name,
            name=name,
            publisher=trigger,
            because=None,
            messages=1,
            after=1,
            unreceived=number % 2,
            depth=1,
            deliveries=(Delivery(Place("handler", name, name, name), 1, 2, None, "likely"),),
            evidence=EVIDENCE,
        )
        for number, name in enumerate(names)
    ]
    return Flow("g", "n", trigger, None, 1, 0, tuple(steps), EVIDENCE)


def test_a_flow_of_hostile_names() -> None:
    diagram, hidden = flow_diagram(flow_of(NAMES))
    assert hidden == 0
    assert_drawn(diagram, len(NAMES) + len(NAMES) // 2)


def test_an_overview_of_hostile_names() -> None:
    traffic = [Traffic(name, None, name, name, "queue", 1, 0, "exact") for name in NAMES]
    traffic += [Traffic(None, name, name, name, "queue", 1, 1, "exact") for name in NAMES]
    diagram, _ = overview(traffic)
    assert_drawn(diagram, 2 * len(NAMES))


def test_events_on_a_bus_stay_inside() -> None:
    assert overview([Traffic("a", "a", "e", "e", "bus", 1, 1, "exact")]) == ("flowchart LR", 0)


def test_a_small_overview() -> None:
    traffic = [
        Traffic("web", "mail", "e1", "order.placed", "topic", 3, 4, "likely"),
        Traffic("web", "mail", "e2", "order.placed", "queue", 2, 2, "exact"),
        Traffic("web", None, "e1", "order.lost", "topic", 1, 0, "exact"),
    ]
    assert overview(traffic)[0].split("\n") == [
        "flowchart LR",
        '    n0["web"]',
        '    n1["mail"]',
        '    n2["no receive in the trace"]',
        '    n0 -.->|"order.placed ×5, 6 receives (likely)"| n1',
        '    n0 -->|"order.lost ×1"| n2',
    ]


def test_the_most_travelled_are_drawn_and_the_others_counted() -> None:
    traffic = [
        Traffic("a", f"b{number}", "e", "e", "topic", number, number, "exact") for number in range(MAX_EDGES + 7)
    ]
    diagram, hidden = overview(traffic)
    assert hidden == 7
    assert_drawn(diagram, MAX_EDGES)
    assert '["b6"]' not in diagram
