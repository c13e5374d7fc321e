"""How flows and single executions of them are written for report.html. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.html.event_values import evidence
from msgtrace_analysis.renderers.json_values import time_of

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Execution, Flow, Latency, Moment, Place, Step, Variant
    from msgtrace_analysis.renderers.html.numbering import Numbering

MOST_STEPS: Final = 60
MOST_VARIANTS: Final = 10


def flow(value: Flow, numbers: Numbering) -> dict[str, Any]:
    """One flow."""
    return {
        "group": numbers.service(value.group),
        "name": value.name,
        "trigger": _place(value.trigger, numbers),
        "arrives": None if value.arrives is None else numbers.event(value.arrives),
        "triggered": value.triggered,
        "silent": value.silent,
        "depth": value.depth,
        "fan_out": value.fan_out,
        "end_to_end": latency(value.end_to_end),
        "style": None
        if value.style is None
        else {
            "kind": value.style.kind,
            "reason": value.style.reason.format(*value.style.names),
            "certainty": value.style.certainty,
        },
        "steps": [_step(each, numbers) for each in value.steps[:MOST_STEPS]],
        "steps_left_out": max(0, len(value.steps) - MOST_STEPS),
        "variants": [_variant(each) for each in value.variants[:MOST_VARIANTS]],
        "unlisted": value.unlisted + sum(each.executions for each in value.variants[MOST_VARIANTS:]),
        "ambiguous": value.ambiguous,
        "evidence": evidence(value.evidence),
    }


def latency(value: Latency | None) -> dict[str, Any] | None:
    """Percentiles in milliseconds."""
    if value is None:
        return None
    return {"messages": value.messages, "p50_ms": value.p50_ms, "p95_ms": value.p95_ms, "p99_ms": value.p99_ms}


def _place(value: Place, numbers: Numbering) -> dict[str, Any]:
    return {"kind": value.kind, "service": numbers.service(value.service), "name": value.name, "site": value.site}


def _step(value: Step, numbers: Numbering) -> dict[str, Any]:
    return {
        "event": numbers.event(value.event),
        "publisher": _place(value.publisher, numbers),
        "messages": value.messages,
        "after": value.after,
        "unreceived": value.unreceived,
        "depth": value.depth,
        "certainty": value.evidence.certainty,
        "deliveries": [
            {
                "place": _place(each.place, numbers),
                "messages": each.messages,
                "receives": each.receives,
                "latency": latency(each.latency),
                "handling": latency(each.handling),
                "failed": dict(each.failed),
                "certainty": each.certainty,
            }
            for each in value.deliveries
        ],
    }


def _variant(value: Variant) -> dict[str, Any]:
    return {
        "executions": value.executions,
        "failed": value.failed,
        "hops": len(value.hops),
        "outcomes": sorted({f"{hop.name}: {hop.outcome}" for hop in value.hops if hop.outcome})[:5],
    }


def execution(value: Execution, numbers: Numbering) -> dict[str, Any]:
    """One execution; what follows from what by places in its list."""
    places = {each.operation_id: place for place, each in enumerate(value.moments)}
    return {
        "flow": value.flow,
        "variant": value.variant,
        "begun": time_of(value.begun_ns),
        "left_out": value.left_out,
        "moments": [_moment(each, places, numbers) for each in value.moments],
    }


def _moment(value: Moment, places: dict[int, int], numbers: Numbering) -> dict[str, Any]:
    return {
        "id": value.operation_id,
        "kind": value.kind,
        "service": numbers.service(value.service),
        "event": numbers.event(value.event),
        "name": value.name,
        "channel": value.channel,
        "at_ms": round(value.at_ns / 1e6, 3),
        "took_ms": None if value.duration_ns is None else round(value.duration_ns / 1e6, 3),
        "follows": None if value.follows is None else places.get(value.follows),
        "certainty": value.certainty,
        "outcome": value.outcome,
        "error": value.error_type,
        "function": value.function,
        "site": value.site,
    }
