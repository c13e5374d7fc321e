"""Everything in which two runs differ. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.comparing.bodies import bodies
from msgtrace_analysis.comparing.events import events
from msgtrace_analysis.comparing.flows import flows
from msgtrace_analysis.comparing.measures import latencies, rates
from msgtrace_analysis.comparing.retries import compared as compared_policies
from msgtrace_analysis.comparing.retries import retries
from msgtrace_analysis.findings.differences import ASPECTS, Comparison, Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.comparing.run import Run
    from msgtrace_analysis.findings.differences import Compared, Compatibility, Delta


def compare(base: Run, head: Run, keeps: Compatibility = "forward") -> Comparison:
    """Every difference, in an order that the runs alone decide.

    Args:
        base: the run that others rely on.
        head: the run that takes its place.
        keeps: the compatibility that changes of bodies must keep, or they are breaking.

    Raises:
        ValueError: the counts of a body are none.
    """
    found = [
        *events(base, head),
        *bodies(base, head, keeps),
        *flows(base, head),
        *retries(base, head),
        *latencies(base, head),
        *rates(base, head),
    ]
    return Comparison(_side(base), _side(head), tuple(sorted(found, key=_order)), tuple(_compared(base, head)), keeps)


def _order(delta: Delta) -> tuple[int, str, str, str, str, str]:
    return ASPECTS.index(delta.aspect), delta.subject, delta.where, delta.part, delta.what, delta.how


def _side(run: Run) -> Side:
    notes = []
    if run.trace.still_recording:
        notes.append("it is still being recorded")
    if run.trace.links_incomplete:
        notes.append(f"links may be incomplete: {run.trace.links_incomplete}")
    return Side(
        run.trace.trace_id,
        run.trace.msgtrace_version,
        run.trace.operations,
        run.frequencies.seconds,
        "; ".join(notes),
    )


def _compared(base: Run, head: Run) -> Iterator[Compared]:
    runs = (base, head)
    types: set[Compared] = {("event", each.name, each.id) for run in runs for each in run.event_catalog}
    triggers: set[Compared] = {("flow", each.name, each.group) for run in runs for each in run.flows}
    policies: set[Compared] = {("retry policy", *each) for run in runs for each in compared_policies(run)}
    for each in (types, triggers, policies):
        yield from sorted(each)
