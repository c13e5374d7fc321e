"""How flows are written in EVENT_FLOWS.json. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.values import value

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Delivery, Flow, Step, Target, Variant


def flow(each: Flow) -> dict[str, Any]:
    """One flow."""
    return {
        "group": each.group,
        "name": each.name,
        "trigger": each.name,
        "trigger_place": value(each.trigger),
        "arrives": each.arrives,
        "triggered": each.triggered,
        "without_messages": each.silent,
        "depth": each.depth,
        "fan_out": each.fan_out,
        "end_to_end": value(each.end_to_end),
        **_sla(each.target),
        "style": value(each.style),
        "events": [_step(step) for step in each.steps],
        "variants": [_variant(one, each.triggered) for one in each.variants],
        "unlisted_executions": each.unlisted,
        "ambiguous_executions": each.ambiguous,
        "evidence": value(each.evidence),
    }


def _sla(target: Target | None) -> dict[str, Any]:
    return {
        "sla_ms": None if target is None else target.ms,
        "sla_basis": None if target is None else {"share": target.share, "messages": target.messages},
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "event": step.event,
        "publisher": step.publisher.service,
        "subscribers": sorted({delivery.place.service for delivery in step.deliveries}),
        **_sla(_slowest(step)),
        "publisher_place": value(step.publisher),
        "while_handling": value(step.because),
        "messages": step.messages,
        "after_triggers": step.after,
        "without_receive": step.unreceived,
        "depth": step.depth,
        "deliveries": [_delivery(each) for each in step.deliveries],
        "evidence": value(step.evidence),
    }


def _slowest(step: Step) -> Target | None:
    """The target of the slowest receiver, if all have one."""
    known = [each.target for each in step.deliveries if each.target is not None]
    return max(known, key=lambda each: each.ms) if known and len(known) == len(step.deliveries) else None


def _delivery(each: Delivery) -> dict[str, Any]:
    times = each.latency
    return {
        **value(each.place),
        "groups": list(each.groups),
        "messages": each.messages,
        "receives": each.receives,
        "observed_p50_ms": None if times is None else times.p50_ms,
        "observed_p95_ms": None if times is None else times.p95_ms,
        "observed_p99_ms": None if times is None else times.p99_ms,
        "observed": value(times),
        **_sla(each.target),
        "handling": value(each.handling),
        "failed": dict(each.failed),
        "certainty": each.certainty,
    }


def _variant(variant: Variant, triggered: int) -> dict[str, Any]:
    return {
        "executions": variant.executions,
        "share": round(variant.executions / triggered, 4),
        "failed": variant.failed,
        "hops": [
            {
                "event": hop.event or None,
                "name": hop.name,
                "publisher": value(hop.publisher),
                "subscriber": value(hop.target),
                "outcome": hop.outcome or None,
                "dead_lettered": hop.dead_lettered,
            }
            for hop in variant.hops
        ],
        "evidence": value(variant.evidence),
    }
