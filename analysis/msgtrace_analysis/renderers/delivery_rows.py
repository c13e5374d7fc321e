"""Rows about delivery, for quick looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from msgtrace_analysis.renderers.json_values import time_of
from msgtrace_analysis.renderers.limit_rows import load_rows, pressure_rows
from msgtrace_analysis.renderers.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Consumer, Duplicates, Guarantees, Lag, Missing, Order, Producer, Rebalance

Of = Literal["consumer", "producer", "duplicate", "order", "missing", "lag", "rebalance", "load", "pressure"]
OF: Final[tuple[Of, ...]] = get_args(Of)


def delivery_rows(found: Guarantees, of: Of) -> Rows:
    """One row per what is asked for."""
    return _MADE[of](found)


def _where(each: Consumer | Duplicates | Order | Missing | Lag) -> tuple[Any, ...]:
    return each.system, f"{each.channel_kind} {each.channel}".strip(), each.group or None


def _consumers(found: Guarantees) -> Rows:
    columns = (
        "service", "system", "channel", "group", "guarantee", "certainty", "mode", "acknowledges", "reason", "receives",
        "settled",
        "failed", "lost", "moments", "example",
    )  # fmt: skip
    rows = [
        (
            each.service, *_where(each), each.guarantee, each.certainty, each.mode, each.moment, each.reason, each.receives,
            each.settled, each.failed, each.lost, dict(each.moments) or None, next(iter(each.evidence.examples), None),
        )
        for each in found.consumers
    ]  # fmt: skip
    return Rows(columns, rows, "No consumer of a broker is in this trace.",
                spare=("moments", "example", "reason", "group", "certainty", "lost", "system"))  # fmt: skip


def _producers(found: Guarantees) -> Rows:
    columns = (
        "service", "system", "channel", "confirms", "sends", "confirmed", "refused", "returned", "failed", "unanswered",
        "repeated",
        "settings", "example",
    )  # fmt: skip
    rows = [_producer(each) for each in found.producers]
    return Rows(
        columns,
        rows,
        "Nothing was sent to a broker in this trace.",
        spare=("example", "settings", "repeated", "system"),
    )


def _producer(each: Producer) -> tuple[Any, ...]:
    return (
        each.service, each.system, f"{each.channel_kind} {each.channel}".strip(), each.confirms, each.sends, each.confirmed,
        each.refused, each.returned, each.failed, each.unanswered, each.repeated, dict(each.settings) or None,
        next(iter(each.evidence.examples), None),
    )  # fmt: skip


def _duplicates(found: Guarantees) -> Rows:
    columns = (
        "system", "channel", "group", "services", "messages", "deliveries", "after_success", "after_refusal", "after_silence",
        "flagged", "effects", "with_effects", "effects_repeated", "examples",
    )  # fmt: skip
    rows = [
        (
            *_where(each), list(each.services), each.messages, each.deliveries, each.after_success, each.after_refusal,
            each.after_silence, each.flagged, each.effects, each.with_effects, each.repeats, list(each.evidence.examples),
        )
        for each in found.duplicates
    ]  # fmt: skip
    return Rows(columns, rows, "No message was seen to be delivered twice to one queue's or group's consumers.",
                spare=("examples", "flagged", "with_effects", "services", "group", "system"))  # fmt: skip


def _orders(found: Guarantees) -> Rows:
    columns = (
        "scope", "system", "channel", "group", "services", "lanes", "consumers", "messages", "violations", "late_repeats",
        "examples",
    )  # fmt: skip
    rows = [
        (
            each.scope, *_where(each), list(each.services), each.lanes, each.consumers, each.messages, each.violations,
            each.late_repeats, [[pair.receive_id, pair.before_id] for pair in each.examples] or None,
        )
        for each in found.orders
    ]  # fmt: skip
    return Rows(columns, rows, "No two messages in this trace have an order that was kept or not.",
                spare=("examples", "services", "lanes", "group", "system"))  # fmt: skip


def _missing(found: Guarantees) -> Rows:
    columns = ("what", "system", "channel", "group", "services", "messages", "reason", "certainty", "examples")
    rows = [
        (
            each.kind, *_where(each), list(each.services), each.messages, each.reason, each.evidence.certainty,
            list(each.evidence.examples),
        )
        for each in found.missing
    ]  # fmt: skip
    return Rows(columns, rows, "No gap was seen: nothing was passed over, left unsettled or refused.",
                spare=("examples", "certainty", "services", "group"))  # fmt: skip


def _lags(found: Guarantees) -> Rows:
    columns = (
        "system", "channel", "group", "services", "messages", "largest", "largest_at", "last", "p50_ms", "p95_ms", "longest_ms",
        "certainty",
    )  # fmt: skip
    rows = [
        (
            *_where(each), list(each.services), each.messages, each.largest, time_of(each.largest_ns), each.last, each.p50_ms,
            each.p95_ms, each.longest_ms, each.certainty,
        )
        for each in found.lags
    ]  # fmt: skip
    return Rows(columns, rows, "No consumer of a queue, list, stream or group was seen with what it should have had.",
                spare=("certainty", "largest_at", "services", "group", "system"))  # fmt: skip


def _rebalances(found: Guarantees) -> Rows:
    columns = (
        "system",
        "group",
        "topics",
        "services",
        "rebalances",
        "members",
        "moved",
        "lost",
        "longest_ms",
        "repeated",
        "examples",
    )
    rows: list[tuple[Any, ...]] = [_rebalance(each) for each in found.rebalances]
    return Rows(columns, rows, "No consumer group was seen to be balanced.", spare=("examples", "services", "system"))


def _rebalance(each: Rebalance) -> tuple[Any, ...]:
    return (
        each.system, each.group, list(each.channels), list(each.services), each.rebalances, each.members, each.moved, each.lost,
        each.longest_ms, each.repeated, list(each.evidence.examples),
    )  # fmt: skip


_MADE: Final[dict[Of, Callable[[Guarantees], Rows]]] = {
    "consumer": _consumers,
    "producer": _producers,
    "duplicate": _duplicates,
    "order": _orders,
    "missing": _missing,
    "lag": _lags,
    "rebalance": _rebalances,
    "load": load_rows,
    "pressure": pressure_rows,
}
