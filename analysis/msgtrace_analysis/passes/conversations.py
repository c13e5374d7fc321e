"""How messages belong together beyond cause and effect, one pass each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Conversations
from msgtrace_analysis.passes.calls import calls, note_calls
from msgtrace_analysis.passes.correlation import correlate
from msgtrace_analysis.passes.cycles import cycles
from msgtrace_analysis.passes.deviations import deviations
from msgtrace_analysis.passes.fallbacks import fallbacks
from msgtrace_analysis.passes.loose_ends import loose_ends
from msgtrace_analysis.passes.requests import requests
from msgtrace_analysis.passes.sagas import sagas

if TYPE_CHECKING:
    from msgtrace_analysis.passes.graph import Graph
    from msgtrace_analysis.study import Study


def conversations(study: Study, graph: Graph) -> Conversations:
    """Find them. Needs the tables of `graph`.

    Raises:
        TraceError: the trace went away meanwhile.
    """
    correlate(study)
    note_calls(study)
    return Conversations(
        requests=requests(study, graph),
        sagas=sagas(study, graph),
        calls=calls(study),
        fallbacks=fallbacks(study, graph),
        cycles=cycles(study, graph),
        loose_ends=loose_ends(study, graph),
        deviations=deviations(study, graph),
        cut=graph.cut,
    )
