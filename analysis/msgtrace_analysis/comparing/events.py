"""Event types, and who publishes and consumes them, that only one of two runs has. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgtrace_analysis.comparing.chance import of_samples, of_time
from msgtrace_analysis.comparing.seen import both_ways, gone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from msgtrace_analysis.comparing.run import Event, Party, Run
    from msgtrace_analysis.findings.differences import Aspect, Delta


def events(base: Run, head: Run) -> Iterator[Delta]:
    """Event types and their parties."""
    yield from both_ways(_vanished, base, head)
    yield from both_ways(_parted, base, head)


def shown(event: Event) -> str:
    """An event type's channel."""
    return f"{event.channel_kind} {event.channel}".strip()


def _vanished(base: Run, head: Run) -> Iterator[Delta]:
    there = {each.id for each in head.event_catalog}
    for event in base.event_catalog:
        if event.id in there:
            continue
        services = sorted({each.service for each in event.consumers})
        who = ", ".join(services) or "who subscribes to it"
        elsewhere = sorted({shown(each) for each in head.event_catalog if each.name == event.name})
        yield gone(
            "event", event.name, "", event.id, f"{event.messages} messages on {shown(event)}", _chance(event, base, head),
            breaking=f"{who} would wait for it in vain",
            head=f"of this name only on {', '.join(elsewhere)}" if elsewhere else "",
        )  # fmt: skip


def _chance(event: Event, base: Run, head: Run) -> float:
    """By the triggers that it follows where HEAD has these, too; else by time."""
    triggered = {(flow.group, flow.name): flow.triggered for flow in head.flows}
    by_trigger = [
        of_samples(step.after_triggers, flow.triggered, triggered[flow.group, flow.name])
        for flow in base.flows
        if (flow.group, flow.name) in triggered
        for step in flow.events
        if step.event == event.id
    ]
    if by_trigger:
        return min(by_trigger)
    varies = [
        each.fano_factor or 1.0
        for each in base.frequencies.rates
        if each.scope == "event" and each.subject == event.id and each.interval == "overdispersed"
    ]
    return of_time(event.messages, base.frequencies.seconds, head.frequencies.seconds, max(varies, default=1.0))


def _parted(base: Run, head: Run) -> Iterator[Delta]:
    there = {each.id: each for each in head.event_catalog}
    for event in base.event_catalog:
        other = there.get(event.id)
        if other is not None:
            yield from _parties("publisher", event, other, event.producers, other.producers)
            yield from _parties("subscriber", event, other, event.consumers, other.consumers)


def _parties(
    aspect: Aspect, event: Event, other: Event, before: Sequence[Party], after: Sequence[Party]
) -> Iterator[Delta]:
    """Services first: code that is called otherwise in the same service is no loss to anybody."""
    services = Counter[str]()
    labels = Counter[tuple[str, str]]()
    for each in before:
        services[each.service] += each.evidence.operations
        labels[each.service, each.label] += each.evidence.operations
    still = {each.service for each in after}
    known = {(each.service, each.label) for each in after}
    for service, operations in sorted(services.items()):
        if service not in still:
            chance = of_samples(operations, event.messages, other.messages)
            yield gone(
                aspect, event.name, service, event.id, f"{operations} of {event.messages} messages", chance,
                head=f"0 of {other.messages} messages",
                breaking="it is handled there no more" if aspect == "subscriber" else "",
            )  # fmt: skip
    for (service, label), operations in sorted(labels.items()):
        if service in still and (service, label) not in known and label:
            chance = of_samples(operations, event.messages, other.messages)
            yield gone(
                aspect, event.name, f"{service}: {label}", event.id, f"{operations} of {event.messages} messages", chance,
                head=f"0 of {other.messages} messages",
            )  # fmt: skip
