"""How flows, and what messages have to do with each other besides, are written in EVENT_FLOWS.json. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.json_values import evidence, latency, place

if TYPE_CHECKING:
    from msgtrace_analysis.findings import (
        Call,
        Conversations,
        Cycle,
        Delivery,
        Deviation,
        Fallback,
        Flow,
        LooseEnd,
        Request,
        Saga,
        Step,
        Style,
        Target,
        Variant,
    )


def flow(value: Flow) -> dict[str, Any]:
    """One flow."""
    return {
        "group": value.group,
        "name": value.name,
        "trigger": value.name,
        "trigger_place": place(value.trigger),
        "arrives": value.arrives,
        "triggered": value.triggered,
        "without_messages": value.silent,
        "depth": value.depth,
        "fan_out": value.fan_out,
        "end_to_end": latency(value.end_to_end),
        **_sla(value.target),
        "style": None if value.style is None else _style(value.style),
        "events": [_step(step) for step in value.steps],
        "variants": [_variant(each, value.triggered) for each in value.variants],
        "unlisted_executions": value.unlisted,
        "ambiguous_executions": value.ambiguous,
        "evidence": evidence(value.evidence),
    }


def _sla(target: Target | None) -> dict[str, Any]:
    return {
        "sla_ms": None if target is None else target.ms,
        "sla_basis": None if target is None else {"share": target.share, "messages": target.messages},
    }


def _style(style: Style) -> dict[str, Any]:
    return {
        "kind": style.kind,
        "coordinator": style.coordinator,
        "reason": style.reason.format(*style.names),
        "certainty": style.certainty,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "event": step.event,
        "publisher": step.publisher.service,
        "subscribers": sorted({delivery.place.service for delivery in step.deliveries}),
        **_sla(_slowest(step)),
        "publisher_place": place(step.publisher),
        "while_handling": None if step.because is None else place(step.because),
        "messages": step.messages,
        "after_triggers": step.after,
        "without_receive": step.unreceived,
        "depth": step.depth,
        "deliveries": [_delivery(each) for each in step.deliveries],
        "evidence": evidence(step.evidence),
    }


def _slowest(step: Step) -> Target | None:
    """The target of the slowest receiver, if all have one."""
    known = [each.target for each in step.deliveries if each.target is not None]
    return max(known, key=lambda each: each.ms) if known and len(known) == len(step.deliveries) else None


def _delivery(each: Delivery) -> dict[str, Any]:
    times = each.latency
    return {
        **place(each.place),
        "groups": list(each.groups),
        "messages": each.messages,
        "receives": each.receives,
        "observed_p50_ms": None if times is None else times.p50_ms,
        "observed_p95_ms": None if times is None else times.p95_ms,
        "observed_p99_ms": None if times is None else times.p99_ms,
        "observed": latency(times),
        **_sla(each.target),
        "handling": latency(each.handling),
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
                "publisher": None if hop.publisher is None else place(hop.publisher),
                "subscriber": None if hop.target is None else place(hop.target),
                "outcome": hop.outcome or None,
                "dead_lettered": hop.dead_lettered,
            }
            for hop in variant.hops
        ],
        "evidence": evidence(variant.evidence),
    }


def conversations(value: Conversations) -> dict[str, Any]:
    """All that is not a flow, by its kind."""
    return {
        "requests": [_request(each) for each in value.requests],
        "sagas": [_saga(each) for each in value.sagas],
        "calls": [_call(each) for each in value.calls],
        "fallbacks": [_fallback(each) for each in value.fallbacks],
        "cycles": [_cycle(each) for each in value.cycles],
        "loose_ends": [_loose_end(each) for each in value.loose_ends],
        "deviations": [_deviation(each) for each in value.deviations],
        "too_many_origins": value.cut,
    }


def _request(each: Request) -> dict[str, Any]:
    return {
        "request": each.request,
        "reply": each.reply,
        "requester": place(each.requester),
        "replier": None if each.replier is None else place(each.replier),
        "via": each.via,
        "matched_by": each.matched_by,
        "requests": each.requests,
        "answered": each.answered,
        "answer_lost": each.lost,
        "unanswered": each.unanswered,
        "pending": each.pending,
        "late": each.late,
        "timeout_ms": each.timeout_ms,
        "round_trip": latency(each.round_trip),
        "evidence": evidence(each.evidence),
    }


def _saga(each: Saga) -> dict[str, Any]:
    return {
        "begins": each.begins,
        "name": each.name,
        "held_together_by": each.key,
        "services": list(each.services),
        "steps": [
            {
                "event": step.event,
                "name": step.name,
                "service": step.service,
                "role": step.role,
                "instances": step.instances,
            }
            for step in each.steps
        ],
        "compensations": [
            {
                "step": one.undone,
                "undone_by": one.by,
                "after_failure_of": list(one.after),
                "instances": one.instances,
                "without_failure": one.without_failure,
                "certainty": one.certainty,
            }
            for one in each.compensations
        ],
        "instances": each.instances,
        "completed": each.completed,
        "compensated": each.compensated,
        "failed": each.failed,
        "stuck": each.stuck,
        "open": each.open,
        "stuck_at": [
            {"event": one.event, "instances": one.instances, "examples": list(one.examples)} for one in each.stuck_at
        ],
        "duration": latency(each.duration),
        "evidence": evidence(each.evidence),
    }


def _call(each: Call) -> dict[str, Any]:
    took = each.duration
    return {
        "caller": place(each.caller),
        "while_handling": None if each.because is None else place(each.because),
        "method": each.method,
        "server": each.server,
        "path": each.path,
        "failures": dict(each.failures),
        "statuses": {str(status): count for status, count in each.statuses},
        "to_response": None
        if took is None
        else {"responses": took.messages, "p50_ms": took.p50_ms, "p95_ms": took.p95_ms, "p99_ms": took.p99_ms},
        "evidence": evidence(each.evidence),
    }


def _fallback(each: Fallback) -> dict[str, Any]:
    return {
        "handler": place(each.handler),
        "call": each.call,
        "failures": dict(each.failures),
        "event": each.event,
        "failed_calls": each.failed,
        "followed": each.followed,
        "calls": each.succeeded,
        "followed_all_the_same": each.otherwise,
        "evidence": evidence(each.evidence),
    }


def _cycle(each: Cycle) -> dict[str, Any]:
    return {
        "events": [reference for reference, _ in each.events],
        "messages": each.messages,
        "executions": each.executions,
        "most_rounds": each.rounds,
        "evidence": evidence(each.evidence),
    }


def _loose_end(each: LooseEnd) -> dict[str, Any]:
    return {
        "event": each.event,
        "missing": each.missing,
        "likely_reason": each.reason,
        "evidence": evidence(each.evidence),
    }


def _deviation(each: Deviation) -> dict[str, Any]:
    return {
        "event": each.event,
        "side": each.side,
        "place": place(each.place),
        "difference": each.sentence.format(*each.names),
        "compared_with": each.others,
        "evidence": evidence(each.evidence),
    }
