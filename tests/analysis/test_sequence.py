"""Sequence diagrams hold together whatever names are in them, and say what was measured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Evidence, Flow, Hop, Place, Variant
from msgtrace_analysis.renderers.sequence import MAX_HOPS, sequence_diagram
from tests.analysis.conversing import handle, publish, request
from tests.analysis.hostile import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

TEXT = r"(?:[A-Za-z0-9 ._/,+\-:()={}×…]|#[0-9]+;)+"
LINE = re.compile(
    rf"    (?:participant p[0-9]+ as {TEXT}|p[0-9]+(?:->>|-\)|-x)p[0-9]+: {TEXT}|Note over p[0-9]+: {TEXT})"
)
EVIDENCE = Evidence(1, (1,), 1, 1, "exact")


def hostile_flow(names: tuple[str, ...]) -> tuple[Flow, Variant]:
    hops = tuple(
        Hop(name, name, Place("code", name, name, name), Place("handler", names[number - 1], name, name) if number % 3 else None,
            "raised" if number % 2 else "", number % 5 == 0)
        for number, name in enumerate(names)
    )  # fmt: skip
    variant = Variant(hops, 1, failed=True, evidence=EVIDENCE)
    return Flow("g", names[0], Place("route", names[0], names[0], ""), None, 1, 0, (), EVIDENCE), variant


def test_hostile_names() -> None:
    diagram, hidden = sequence_diagram(*hostile_flow(NAMES))
    first, *lines = diagram.split("\n")
    assert (first, hidden) == ("sequenceDiagram", 0)
    assert all(LINE.fullmatch(line) for line in lines), diagram
    assert sum("-)" in line or "-x" in line or "->>" in line for line in lines) == len(NAMES) + 1


def test_what_is_too_much_is_counted() -> None:
    assert sequence_diagram(*hostile_flow(("a", "b") * MAX_HOPS))[1] == MAX_HOPS


def test_a_small_one(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    trigger = request(made)
    send = publish(made, "order.placed", trigger)
    handle(made, send, "stock", after_ns=5_000_000, duration_ns=2_000_000)
    publish(made, "order.lost", trigger, after_ns=0)
    (flow,) = findings().flows
    assert sequence_diagram(flow, flow.variants[0])[0].split("\n") == [
        "sequenceDiagram",
        "    participant p0 as caller",
        "    participant p1 as web",
        "    participant p2 as no receive in the trace",
        "    participant p3 as stock",
        "    p0->>p1: POST /orders",
        "    p1-)p2: order.lost",
        "    p1-)p3: order.placed, p95 5 ms",
        "    Note over p3: on_event: p95 2 ms",
        "    Note over p0: end to end: p50 8 ms, p95 8 ms",
    ]
