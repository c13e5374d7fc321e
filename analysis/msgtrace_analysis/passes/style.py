"""Choreography or orchestration: who decides how a flow goes on. Pure.

In an orchestration one service tells the others what to do and is told what came of it; in a choreography each service
decides by itself what to do about an event. Hohpe and Woolf call the former a process manager (Enterprise Integration Patterns).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Style

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import Step

CENTRAL: Final = 0.8
"""The share of message types between services that a coordinator sends or receives."""


def style_of(steps: Iterable[Step]) -> Style | None:
    """Judge a flow by its message types between services; None where there are none."""
    hops = {
        (step.publisher.service, delivery.place.service, step.event)
        for step in steps
        for delivery in step.deliveries
        if delivery.place.service != step.publisher.service
    }
    if not hops:
        return None
    services = {each for source, target, _ in hops for each in (source, target)}
    if len({event for _, _, event in hops}) < 2 or len(services) < 3:
        reason = "{0} of messages between {1} services do not show who decides."
        counts = (_types(len({event for _, _, event in hops})), str(len(services)))
        return Style("too short to tell", None, reason, counts, "guess")
    return _coordinated(hops) or _choreographed(hops)


def _types(count: int) -> str:
    return "one type" if count == 1 else f"{count} types"


def _coordinated(hops: set[tuple[str, str, str]]) -> Style | None:
    """One service sends types of its own to two others or more, and hears from them."""
    sent: defaultdict[str, set[str]] = defaultdict(set)
    types: defaultdict[str, set[str]] = defaultdict(set)
    heard: defaultdict[str, set[str]] = defaultdict(set)
    part: Counter[str] = Counter()
    listeners = Counter(event for _, _, event in hops)
    for source, target, event in hops:
        part[source] += 1
        part[target] += 1
        heard[target].add(source)
        # What several services receive is no order to one of them.
        if listeners[event] == 1:
            sent[source].add(target)
            types[source].add(event)
    fit = [
        each
        for each in sent
        if len(sent[each]) >= 2 and len(sent[each] & heard[each]) >= 2 and part[each] >= CENTRAL * len(hops)
    ]
    if not fit:
        return None
    best = min(fit, key=lambda each: (-part[each], each))
    names = (
        best,
        str(len(types[best])),
        str(len(sent[best])),
        str(len(sent[best] & heard[best])),
        str(part[best]),
        str(len(hops)),
    )
    reason = (
        "{0} sends {1} types of message to {2} services, one receiver each, hears from {3} of them, and is at one end of {4} "
        "of {5} ways between services."
    )
    return Style("orchestration", best, reason, names, "likely")


def _choreographed(hops: set[tuple[str, str, str]]) -> Style:
    deciding = {source for source, _, _ in hops} & {target for _, target, _ in hops}
    publishers = {source for source, _, _ in hops}
    names = (str(len(publishers)), str(len(deciding)))
    reason = "{0} services publish in it, {1} of them after what another sent, and none is at the centre."
    return Style("choreography", None, reason, names, "likely" if deciding else "guess")
