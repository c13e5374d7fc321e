"""Renders the memory files: what an agent should know before it writes code that sends or receives messages. Pure.

Small enough to be read whole (`fitting`); EVENT_FLOWS.json has all of it, with more evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.file_names import INDEX
from msgtrace_analysis.renderers.json_values import text, time_of
from msgtrace_analysis.renderers.memory import events, flows, queues, resilience
from msgtrace_analysis.renderers.memory.brief import lean
from msgtrace_analysis.renderers.memory.fitting import BUDGET_BYTES, fitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings

FORMAT: Final = "msgtrace/memory"
VERSION: Final = 1
MEMORIES: Final[dict[str, tuple[str, Callable[[Findings], list[dict[str, Any]]]]]] = {
    "event_catalog": ("event types: who sends and receives each, where in the code, and the fields of its body", events.all_of),
    "message_flows": ("what leads to what, from each trigger on", flows.all_of),
    "queue_config": ("exchanges, queues, topics, streams: settings, bindings, who takes from them, dead letters", queues.all_of),
    "resilience_patterns": (
        "retries, dead letters, circuit breakers, what delivery promises, and what would raise the resilience score",
        resilience.all_of,
    ),
    "websocket_events": ("event types that go over WebSocket connections, and in which direction", events.of_websockets),
}  # fmt: skip
"""What each file is about, and what makes its entries."""
READING: Final = (
    "All of it was seen while the programs ran; what they did not do meanwhile is not here, so that nothing follows from an "
    "absence; a key that an entry lacks was not seen or does not apply. Names are the program's own; long ones are cut, with an "
    "ellipsis. `certainty`: exact, observed as such; likely, matched by contents, order or time, or enough samples; guess, rests "
    "on little. `msgtrace follow ID` shows an operation of `examples`."
)


def files(findings: Findings) -> dict[str, str]:
    """Text by the name of the file; the index is the last."""
    recording = findings.recording
    trace = {
        "trace_id": recording.trace_id,
        "operations": recording.operations,
        "first_seen": time_of(recording.first_seen_ns),
        "last_seen": time_of(recording.last_seen_ns),
        "chosen": recording.chosen or None,
        "lost": sum(each.lost for each in findings.completeness.losses),
    }
    written: dict[str, str] = {}
    listed = []
    for name, (about, entries_of) in MEMORIES.items():
        entries = [lean(each) for each in entries_of(findings)]
        head = {"format": FORMAT, "version": VERSION, "about": about, "trace": trace, "reading": READING}
        made = fitted(name, head, entries)
        written |= made
        listed.append(
            {"file": f"{name}.json", "about": about, "entries": len(entries), "further_files": list(made)[1:]}
        )
    index = {
        "format": FORMAT, "version": VERSION, "trace": trace, "reading": READING, "budget_bytes": BUDGET_BYTES,
        "read": listed, "files": sorted(written),
    }  # fmt: skip
    return {**written, INDEX: text(index)}
