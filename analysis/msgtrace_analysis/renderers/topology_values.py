"""What topology's findings come down to, in values and sentences, for EVENT_FLOWS.json, `msgtrace queues` and the guide."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Channel, Gap


def type_of(channel: Channel) -> str:
    """The type of an exchange or queue, as inspected or else as declared; of anything else, its kind."""
    for form in (*channel.inspected, *channel.settings):
        arguments = form.get("arguments") or {}
        found = form.get("exchange_type") or form.get("queue_type") or arguments.get("x-queue-type")
        if isinstance(found, str) and not form.get("passive"):
            return found
    return channel.kind


def durable(channel: Channel) -> bool | None:
    """Whether it outlives a restart of the broker; None where that is not said, or said in two ways."""
    forms = channel.inspected or tuple(form for form in channel.settings if not form.get("passive"))
    said = {bool(form.get("durable")) for form in forms}
    return said.pop() if len(said) == 1 and channel.kind in {"exchange", "queue"} else None


def plain_sentence(value: Gap) -> str:
    """A gap as a sentence of plain text."""
    return value.sentence.format(*value.names, n=f"{value.evidence.operations:,}")
