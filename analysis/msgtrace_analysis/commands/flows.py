"""`msgtrace flows`: what follows from what, as a table or as diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.looks import NO_MESSAGES
from msgtrace_analysis.commands.opening import db_option, drawn_option, rules_option, show, studied
from msgtrace_analysis.commands.writing import say
from msgtrace_analysis.findings import weakest
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.flows import flows as find_flows
from msgtrace_analysis.renderers import markdown
from msgtrace_analysis.renderers.mermaid import flow_diagram
from msgtrace_analysis.renderers.rows import Rows
from msgtrace_analysis.renderers.sequence import sequence_diagram

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.findings import Flow, Place
    from msgtrace_analysis.renderers.rows import Format
    from msgtrace_analysis.rules import Rules


@click.command()
@db_option
@rules_option
@choice_options
@drawn_option
def flows(db: Path, rules: Rules, choice: Choice, form: Format | Literal["mermaid"]) -> None:
    """What follows from what: triggers, and the messages after them.

    Flows are shown whole when a message of theirs is chosen.
    """
    with studied(db, rules, choice.since) as study:
        found: Iterable[Flow] = find_flows(study)
        if not choice.everything:
            wanted = choice.wanted(catalogue(study, 0, rules))
            found = [flow for flow in found if any(step.event in wanted for step in flow.steps)]
    if form == "mermaid":
        say(diagrams(found))
    else:
        show(flow_rows(found), form)


def flow_rows(found: Iterable[Flow]) -> Rows:
    """One row per flow, event type and receiver."""
    columns = (
        "group", "trigger", "triggered", "depth", "event", "sent_by", "received_by", "messages", "receives", "p50_ms", "p95_ms",
        "p99_ms", "sla_ms", "handler_p95_ms", "failed", "certainty",
    )  # fmt: skip
    return Rows(columns, [row for flow in found for row in _flow_rows(flow)], NO_MESSAGES)


def _flow_rows(flow: Flow) -> Iterator[tuple[Any, ...]]:
    for step in flow.steps:
        begin = (flow.group, flow.name, flow.triggered, step.depth, step.name, _shown(step.publisher))
        for each in step.deliveries:
            certainty = weakest((step.evidence.certainty, each.certainty))
            known = each.latency
            times = (None, None, None) if known is None else (known.p50_ms, known.p95_ms, known.p99_ms)
            yield (
                *begin, _shown(each.place), each.messages, each.receives, *times,
                None if each.target is None else each.target.ms,
                None if each.handling is None else each.handling.p95_ms, dict(each.failed) or None, certainty,
            )  # fmt: skip
        if step.unreceived:
            yield (*begin, None, step.unreceived, 0, None, None, None, None, None, None, step.evidence.certainty)


def _shown(place: Place) -> str:
    return f"{place.service}: {place.name or place.site}"


def diagrams(found: Iterable[Flow]) -> str:
    """Markdown: of each flow a chart, its usual way as a sequence, and the most frequent way in which something failed."""
    parts = [part for flow in found if flow.steps for part in _diagrams(flow)]
    return "\n\n".join(parts or [NO_MESSAGES]) + "\n"


def _diagrams(flow: Flow) -> Iterator[str]:
    yield f"## {markdown.text(flow.group)}: {markdown.code(flow.name)}"
    yield markdown.fenced("mermaid", flow_diagram(flow)[0])
    usual = flow.variants[:1]
    failed = [each for each in flow.variants[1:] if each.failed][:1]
    for title, variant in (
        *(("The usual way", each) for each in usual),
        *(("A way that failed", each) for each in failed),
    ):
        yield f"{title}, {variant.executions:,} of {flow.triggered:,} ({variant.evidence.certainty}):"
        yield markdown.fenced("mermaid", sequence_diagram(flow, variant)[0])
