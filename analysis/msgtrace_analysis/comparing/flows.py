"""Flows that only one of two runs has, and what follows in them in only one. Pure.

A step is known by its event type and the services that send it: functions are renamed without anybody noticing outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.comparing.chance import of_samples, of_time
from msgtrace_analysis.comparing.seen import both_ways, gone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.comparing.run import Flow, Run, Step
    from msgtrace_analysis.findings.differences import Delta

Key = tuple[str, str, str]
"""Event type, service that publishes it, and service that does so while handling something; '' for none."""


def flows(base: Run, head: Run) -> Iterator[Delta]:
    """Flows and their steps."""
    yield from both_ways(_vanished, base, head)
    yield from both_ways(_shorter, base, head)


def key_of(step: Step) -> Key:
    """What a step is known by."""
    return step.event, step.publisher, "" if step.while_handling is None else step.while_handling.service


def pairs(base: Run, head: Run) -> Iterator[tuple[Flow, Flow]]:
    """Flows that both runs have."""
    there = {(each.group, each.name): each for each in head.flows}
    for flow in base.flows:
        other = there.get((flow.group, flow.name))
        if other is not None:
            yield flow, other


def _vanished(base: Run, head: Run) -> Iterator[Delta]:
    there = {(each.group, each.name) for each in head.flows}
    for flow in base.flows:
        if (flow.group, flow.name) not in there:
            chance = of_time(flow.triggered, base.frequencies.seconds, head.frequencies.seconds)
            yield gone("flow", flow.name, "", flow.group, f"triggered {flow.triggered} times", chance)


def _shorter(base: Run, head: Run) -> Iterator[Delta]:
    sent = {each.id for each in head.event_catalog}
    for flow, other in pairs(base, head):
        there = {key_of(each) for each in other.events}
        for key, step in _steps(flow).items():
            if key in there:
                continue
            chance = of_samples(step.after_triggers, flow.triggered, other.triggered)
            # Of an event type that is sent nowhere any more is told as such.
            breaking = f"it follows from {flow.name} no more" if step.event in sent else ""
            yield gone(
                "step", flow.name, f"{step.name} from {step.publisher}", flow.group,
                f"after {step.after_triggers} of {flow.triggered}", chance,
                head=f"after 0 of {other.triggered}", breaking=breaking,
            )  # fmt: skip


def _steps(flow: Flow) -> dict[Key, Step]:
    """By what they are known by, each the one that followed most often."""
    found: dict[Key, Step] = {}
    for step in flow.events:
        known = found.get(key_of(step))
        if known is None or known.after_triggers < step.after_triggers:
            found[key_of(step)] = step
    return found
