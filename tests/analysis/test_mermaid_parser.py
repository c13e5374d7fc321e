"""Mermaid itself reads what is drawn.

Needs node, and Mermaid in a folder that MSGTRACE_MERMAID names or in build/mermaid:
`npm install --prefix build/mermaid mermaid@11 jsdom@26`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_analysis.renderers.mermaid import flow_diagram, overview
from msgtrace_analysis.renderers.sequence import sequence_diagram
from tests.analysis.hostile import NAMES, hostile_trace
from tests.analysis.test_sequence import hostile_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("MSGTRACE_MERMAID", HERE.parent.parent / "build" / "mermaid"))

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (FOLDER / "node_modules" / "mermaid").is_dir(),
    reason=f"no node, or no mermaid in {FOLDER}",
)


def parsed(*diagrams: str) -> list[Any]:
    done = subprocess.run(
        ["node", str(HERE / "mermaid_parser.mjs"), str(FOLDER.resolve())],
        input=json.dumps(diagrams), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return list(json.loads(done.stdout))


def test_hostile_names_make_diagrams_that_parse(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    found = findings()
    charts = [overview(found.traffic)[0], *(flow_diagram(flow)[0] for flow in found.flows if flow.steps)]
    sequences = [sequence_diagram(flow, variant)[0] for flow in found.flows for variant in flow.variants]
    sequences.append(sequence_diagram(*hostile_flow(NAMES))[0])
    assert parsed(*charts) == [{"type": "flowchart-v2"}] * len(charts)
    assert parsed(*sequences) == [{"type": "sequence"}] * len(sequences)


def test_the_parser_does_refuse() -> None:
    (found,) = parsed("sequenceDiagram\n    p0->>: x")
    assert "error" in found
