"""What delivery kept of one event type's channels, in words for people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from msgtrace_analysis.findings import Guarantees


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
