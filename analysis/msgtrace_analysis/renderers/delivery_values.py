"""What delivery kept of one event type's channels: in words for people, as values for programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.json_values import evidence

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from msgtrace_analysis.findings import Exposure, Guarantees


def of_channels(found: Guarantees, channels: Container[str]) -> Guarantees:
    """What is of some channels; without rebalances, which are of groups."""
    return replace(
        found,
        consumers=tuple(each for each in found.consumers if each.channel in channels),
        producers=tuple(each for each in found.producers if each.channel in channels),
        duplicates=tuple(each for each in found.duplicates if each.channel in channels),
        orders=tuple(each for each in found.orders if each.channel in channels),
        missing=tuple(each for each in found.missing if each.channel in channels),
        lags=tuple(each for each in found.lags if each.channel in channels),
        rebalances=(),
    )


def in_words(found: Guarantees) -> Iterator[tuple[str, str]]:
    """A line for each consumer, and for what went wrong."""
    for consumer in found.consumers:
        yield (
            "delivery",
            f"{consumer.service} from {consumer.channel}: {consumer.guarantee} ({consumer.certainty}), {consumer.reason}",
        )
    for producer in found.producers:
        if producer.confirms != "always":
            yield "confirms", f"{producer.service} to {producer.channel}: {producer.confirms}"
    for again in found.duplicates:
        yield "duplicates", f"on {again.channel}: {again.messages:,} messages delivered again; effects {again.effects}"
    for order in found.orders:
        if order.violations:
            yield (
                "order",
                f"on {order.channel}: {order.violations:,} of {order.messages:,} out of order by {order.scope}",
            )
    for gap in found.missing:
        yield "missing", f"on {gap.channel}: {gap.messages:,} {gap.kind} ({gap.evidence.certainty}): {gap.reason}"


def as_values(found: Guarantees) -> dict[str, Any]:
    """The same, for programs."""
    return {
        "consumers": [
            {
                "service": each.service, "channel": each.channel, "group": each.group or None, "guarantee": each.guarantee,
                "certainty": each.certainty, "mode": each.mode, "moment": each.moment, "reason": each.reason,
                "receives": each.receives, "settled": each.settled, "failed": each.failed, "evidence": evidence(each.evidence),
            }
            for each in found.consumers
        ],
        "producers": [
            {
                "service": each.service, "channel": each.channel, "confirms": each.confirms, "sends": each.sends,
                "confirmed": each.confirmed, "evidence": evidence(each.evidence),
            }
            for each in found.producers
        ],
        "duplicates": [
            {
                "channel": each.channel, "group": each.group or None, "messages": each.messages, "deliveries": each.deliveries,
                "effects": each.effects, "evidence": evidence(each.evidence),
            }
            for each in found.duplicates
        ],
        "orders": [
            {
                "scope": each.scope, "channel": each.channel, "group": each.group or None, "messages": each.messages,
                "violations": each.violations, "evidence": evidence(each.evidence),
            }
            for each in found.orders
        ],
        "missing": [
            {"what": each.kind, "channel": each.channel, "messages": each.messages, "likely_reason": each.reason,
             "evidence": evidence(each.evidence)}
            for each in found.missing
        ],
    }  # fmt: skip


def exposure(each: Exposure) -> dict[str, Any]:
    """Where such data is; no value."""
    return {
        "where": each.where, "field": each.field or None, "kind": each.kind, "messages": each.messages, "of": each.of,
        "told_by": each.by,
    }  # fmt: skip
