"""Rows of `msgtrace queues`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.rows import Rows
from msgtrace_analysis.renderers.topology_values import plain_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.findings import Channel, DeadLetter, Topology

COLUMNS: Final = (
    "what", "system", "kind", "name", "from", "routing_key", "group", "services", "settings", "sent", "received",
    "state", "finding", "certainty", "example",
)  # fmt: skip


def queue_rows(found: Topology) -> Rows:
    """One row per channel, binding, subscription, dead-letter route, and finding about them."""
    rows = [
        *map(_channel, found.channels), *_bindings(found), *_subscriptions(found), *map(_dead_letter, found.dead_letters),
        *_gaps(found),
    ]  # fmt: skip
    return Rows(
        COLUMNS, rows, "No channel was declared or used in this trace.",
        spare=("example", "certainty", "settings", "services", "system"),
    )  # fmt: skip


def _row(**values: Any) -> tuple[Any, ...]:
    return tuple(values.get(name.replace("from", "source")) for name in COLUMNS)


def _channel(each: Channel) -> tuple[Any, ...]:
    return _row(
        what="channel", system=each.system, kind=each.kind, name=each.name, services=list(each.declared_by),
        settings=[dict(form) for form in (*each.settings, *each.inspected)] or None, sent=each.sends,
        received=each.receives, state=None if each.state is None else dict(each.state),
        certainty=each.evidence.certainty, example=next(iter(each.evidence.examples), None),
    )  # fmt: skip


def _bindings(found: Topology) -> Iterator[tuple[Any, ...]]:
    for each in found.bindings:
        yield _row(
            what="binding", system=each.system, kind=each.destination_kind, name=each.destination, source=each.source,
            routing_key=each.routing_key, services=list(each.declared_by), settings=dict(each.settings) or None,
            sent=each.used, certainty=each.evidence.certainty, example=next(iter(each.evidence.examples), None),
        )  # fmt: skip


def _subscriptions(found: Topology) -> Iterator[tuple[Any, ...]]:
    for each in found.subscriptions:
        yield _row(
            what="subscription", system=each.system, kind=each.channel_kind, name=each.channel, group=each.group,
            services=[each.service], settings=[dict(form) for form in each.settings] or None,
            certainty=each.evidence.certainty, example=next(iter(each.evidence.examples), None),
        )  # fmt: skip


def _dead_letter(each: DeadLetter) -> tuple[Any, ...]:
    known = {
        "reasons": list(each.reasons), "targets": list(each.targets), "time_to_live_ms": each.time_to_live,
        "length_limit": each.length_limit, "overflow": each.overflow, "delivery_limit": each.delivery_limit,
        "said_by": each.origin, "outcome": each.outcome,
    }  # fmt: skip
    cycle = {"none": None, "dropped": "comes back and is dropped", "through rejection": "comes back when rejected"}
    return _row(
        what="dead letters", system="rabbitmq", kind="queue", name=each.queue, source=each.exchange,
        routing_key=each.routing_key, settings={name: value for name, value in known.items() if value},
        finding=cycle[each.cycle], certainty=each.evidence.certainty,
        example=next(iter(each.evidence.examples), None),
    )  # fmt: skip


def _gaps(found: Topology) -> Iterator[tuple[Any, ...]]:
    for each in found.gaps:
        yield _row(
            what=each.check, system=each.system, kind=each.kind, name=each.name, finding=plain_sentence(each),
            certainty=each.evidence.certainty, example=next(iter(each.evidence.examples), None),
        )  # fmt: skip
