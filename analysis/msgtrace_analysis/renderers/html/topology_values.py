"""How topology is written for report.html: nodes by number, and what leads from one to the other. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.topology_values import durable, plain_sentence, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from msgtrace_analysis.findings import Topology, Use
    from msgtrace_analysis.renderers.html.numbering import Numbering

MOST_CHANNELS: Final = 1_000


def topology(value: Topology, uses: Iterable[Use], numbers: Numbering) -> dict[str, Any]:
    """Channels, and bindings, subscriptions and dead-letter ways between them."""
    channels = value.channels[:MOST_CHANNELS]
    places = {(each.system, each.kind, each.name): place for place, each in enumerate(channels)}
    return {
        "channels": [
            {
                "system": each.system,
                "kind": each.kind,
                "name": each.name,
                "alike": each.alike,
                "type": type_of(each),
                "durable": durable(each),
                "sends": each.sends,
                "receives": each.receives,
                "declared_by": [numbers.service(name) for name in each.declared_by],
                "settings": [dict(form) for form in (each.inspected or each.settings)],
                "state": None if each.state is None else dict(each.state),
            }
            for each in channels
        ],
        "left_out": len(value.channels) - len(channels),
        "bindings": [
            {
                "source": places.get((each.system, "exchange", each.source)),
                "destination": places.get((each.system, each.destination_kind, each.destination)),
                "key": each.routing_key,
                "used": each.used,
            }
            for each in value.bindings
        ],
        "publishers": [
            {"service": service, "channel": channel, "messages": many}
            for (service, channel), many in _used("send", uses, places, numbers)
        ],
        "consumers": [
            {"service": service, "channel": channel, "messages": many}
            for (service, channel), many in _used("receive", uses, places, numbers)
        ],
        "subscriptions": [
            {
                "channel": places.get((each.system, each.channel_kind, each.channel)),
                "service": numbers.service(each.service),
                "group": each.group,
            }
            for each in value.subscriptions
        ],
        "dead_letters": [
            {
                "queue": places.get(("rabbitmq", "queue", each.queue)),
                "exchange": places.get(("rabbitmq", "exchange", each.exchange)),
                "key": each.routing_key,
                "targets": [
                    place for name in each.targets for place in [places.get(("rabbitmq", "queue", name))] if place is not None
                ],
                "outcome": each.outcome,
            }
            for each in value.dead_letters
        ],
        "gaps": [
            {
                "check": each.check,
                "name": each.name,
                "sentence": plain_sentence(each),
                "operations": list(each.evidence.examples),
            }
            for each in value.gaps
        ],
    }  # fmt: skip


def _used(
    side: str, uses: Iterable[Use], places: Mapping[tuple[str, str, str], int], numbers: Numbering
) -> list[tuple[tuple[int, int], int]]:
    """Messages that each service sent to, or received from, each channel."""
    found: dict[tuple[int, int], int] = {}
    for each in uses:
        service, channel = numbers.service(each.service), places.get((each.system, each.channel_kind, each.channel))
        if each.side == side and service is not None and channel is not None:
            found[service, channel] = found.get((service, channel), 0) + each.messages
    return sorted(found.items())
