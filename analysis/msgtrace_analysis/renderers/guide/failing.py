"""What happens when a consumer of an event type fails, as promised by how it acknowledges and as was seen. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgtrace_analysis.renderers.guide.words import brief, channel, delays, number, of, reason, spread
from msgtrace_analysis.renderers.markdown import Safe, code, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.findings import Evidence, Findings, ObservedPolicy, Place, Use


@dataclass(frozen=True, slots=True)
class Told:
    """A statement and what it rests on."""

    text: Safe
    evidence: tuple[Evidence, ...]


def when_consumers_fail(findings: Findings) -> dict[str, list[Told]]:
    """Event type -> a statement for each consumer."""
    found: defaultdict[str, list[Told]] = defaultdict(list)
    for use in findings.uses:
        if use.side == "receive" and use.channel_kind != "bus":
            found[use.event].append(_of_a_channel(findings, use))
    kinds = {event.ref: event.channel_kind for event in findings.events}
    for (event, place), failed in _failures(findings).items():
        if kinds.get(event) == "bus":
            found[event].append(_on_a_bus(findings, event, place, failed))
    return dict(found)


def _of_a_channel(findings: Findings, use: Use) -> Told:
    parts: list[str] = []
    evidence: list[Evidence] = []
    for consumer in findings.guarantees.consumers:
        if (consumer.system, consumer.channel, consumer.service) == (use.system, use.channel, use.service):
            parts.append(f"**{consumer.guarantee}** ({consumer.certainty}): {reason(consumer)}")
            evidence.append(consumer.evidence)
    for policy in findings.retrying.observed:
        if (policy.system, policy.channel, policy.service) == (
            use.system,
            use.channel,
            use.service,
        ) and use.event in policy.events:
            parts.append(_tried_again(policy))
            evidence.append(policy.evidence)
    for dropped in findings.dead_letters.dropped:
        if (dropped.event, dropped.place.service) == (use.event, use.service):
            gone = "is gone" if dropped.messages == 1 else "are gone"
            parts.append(f"{of(dropped.messages, 'message')} failed and {gone}: {text(dropped.how)}")
            evidence.append(dropped.evidence)
    if not any(policy.channel == use.channel for policy in findings.retrying.observed):
        parts.append("no failure was seen to be tried again")
    said = "; ".join(parts) or "nothing is known of how it acknowledges"
    return Told(Safe(f"{code(use.service)} from {channel(use)}: {said}"), tuple(evidence))


def _tried_again(policy: ObservedPolicy) -> str:
    route = f" through {', '.join(map(code, policy.route))}" if policy.route else ""
    known = policy.policy
    most = f", at most {number(known.max_attempts)} attempts" if known.max_attempts is not None else ""
    then = f", then {text(known.then)}" if known.then != "unknown" else ""
    to = f" to {code(known.then_to)}" if known.then_to else ""
    return (
        f"what failed came back by {text(policy.mechanism)}{route}: delays {delays(known)}{most}{then}{to} "
        f"({of(policy.groups, 'message')}: {number(policy.recovered)} recovered, {number(policy.exhausted)} given up)"
    )


def _failures(findings: Findings) -> dict[tuple[str, Place], Counter[str]]:
    """(event type, handler) -> how handling it ended other than well, over all flows."""
    found: defaultdict[tuple[str, Place], Counter[str]] = defaultdict(Counter)
    for event, place, failed in _ended(findings):
        found[event, place].update(failed)
    return found


def _ended(findings: Findings) -> Iterator[tuple[str, Place, dict[str, int]]]:
    for flow in findings.flows:
        for step in flow.steps:
            for delivery in step.deliveries:
                if delivery.failed:
                    yield step.event, delivery.place, dict(delivery.failed)


def _on_a_bus(findings: Findings, event: str, place: Place, failed: Counter[str]) -> Told:
    again = [each for each in findings.reliability.retries if (each.event, each.service) == (event, place.service)]
    errors = [each for each in findings.reliability.failures if each.place == place and each.kind == "process"]
    named = ", ".join(sorted({str(code(each.error_type)) for each in errors if each.error_type}))
    ended = f"{spread(sorted(failed.items()))}{f' ({named})' if named else ''}"
    then = "it was tried again" if again else "the bus keeps nothing, and it was not seen to be tried again"
    return Told(
        Safe(f"{brief(place)}: {ended}; {then}"),
        (*(each.evidence for each in errors), *(each.evidence for each in again)),
    )
