"""Mermaid itself reads what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.mermaid import flow_diagram, overview
from msgtrace_analysis.renderers.saga_machine import saga_diagram
from msgtrace_analysis.renderers.sequence import sequence_diagram
from tests.analysis.conversing import travel
from tests.analysis.hostile import NAMES, hostile_trace
from tests.analysis.javascript import told_by
from tests.analysis.test_sequence import hostile_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def parsed(*diagrams: str) -> list[Any]:
    return told_by("mermaid_parser.mjs", diagrams)


def test_hostile_names_make_diagrams_that_parse(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    found = findings()
    charts = [overview(found.traffic)[0], *(flow_diagram(flow)[0] for flow in found.flows if flow.steps)]
    sequences = [sequence_diagram(flow, variant)[0] for flow in found.flows for variant in flow.variants]
    sequences.append(sequence_diagram(*hostile_flow(NAMES))[0])
    assert parsed(*charts) == [{"type": "flowchart-v2"}] * len(charts)
    assert parsed(*sequences) == [{"type": "sequence"}] * len(sequences)


def test_hostile_names_make_state_machines_that_parse(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number, name in enumerate(NAMES):
        travel(made, (name, name), (f"{name} failed", "x"), (f"un {name}", name), correlation_id=f"{number}")
    machines = [saga_diagram(saga)[0] for saga in findings().conversations.sagas]
    assert len(machines) >= len(NAMES) - 2
    assert parsed(*machines) == [{"type": "stateDiagram"}] * len(machines)


def test_the_parser_does_refuse() -> None:
    (found,) = parsed("sequenceDiagram\n    p0->>: x")
    assert "error" in found
