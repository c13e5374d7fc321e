"""Flows as an agent needs them: what leads to what, in how long, and how it failed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.memory.brief import LISTED, proof, short, some, times, where

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Delivery, Findings, Flow, Hop, Request, Saga, Step

WAYS: Final = 3
"""Of a flow: the usual ones."""


def all_of(findings: Findings) -> list[dict[str, Any]]:
    """Flows that send something, then requests with their replies, then long transactions."""
    found = findings.conversations
    return [
        *(_flow(each) for each in findings.flows if each.steps),
        *(_request(each) for each in found.requests),
        *(_saga(each) for each in found.sagas),
    ]


def _flow(flow: Flow) -> dict[str, Any]:
    style = flow.style
    return {
        "name": short(flow.name),
        "what": "flow",
        "trigger": where(flow.trigger),
        "triggered": flow.triggered,
        "without_messages": flow.silent,
        "style": None if style is None else style.kind,
        "end_to_end": times(flow.end_to_end),
        "sla_ms": None if flow.target is None else flow.target.ms,
        "steps": [_step(step) for step in flow.steps[:LISTED]],
        "more_steps": max(0, len(flow.steps) - LISTED) or None,
        "ways": [
            {"executions": each.executions, "failed": each.failed, "messages": some(map(_hop, each.hops))}
            for each in flow.variants[:WAYS]
        ],
        "more_ways": max(0, len(flow.variants) - WAYS) or None,
        "evidence": proof(flow.evidence),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "event": short(step.event),
        "publisher": where(step.publisher),
        "while_handling": None if step.because is None else where(step.because),
        "after_triggers": step.after,
        "subscribers": [_delivery(each) for each in step.deliveries[:LISTED]],
    }


def _delivery(each: Delivery) -> dict[str, Any]:
    return {
        "place": where(each.place),
        "latency": times(each.latency),
        "sla_ms": None if each.target is None else each.target.ms,
        "failed": dict(each.failed),
        "certainty": each.certainty,
    }


def _hop(hop: Hop) -> str:
    to = "nobody seen" if hop.target is None else where(hop.target)
    ended = f", {hop.outcome}" if hop.outcome else ""
    return f"{hop.name or 'the trigger'} to {to}{ended}{', dead-lettered' if hop.dead_lettered else ''}"


def _request(each: Request) -> dict[str, Any]:
    return {
        "name": short(each.request_name),
        "what": "request and reply",
        "request": short(each.request),
        "reply": None if each.reply is None else short(each.reply),
        "requester": where(each.requester),
        "replier": None if each.replier is None else where(each.replier),
        "via": each.via,
        "matched_by": each.matched_by,
        "requests": each.requests,
        "unanswered": each.unanswered,
        "timeout_ms": each.timeout_ms,
        "round_trip": times(each.round_trip),
        "evidence": proof(each.evidence),
    }


def _saga(each: Saga) -> dict[str, Any]:
    return {
        "name": short(each.name),
        "what": "long transaction",
        "held_together_by": each.key,
        "services": some(each.services),
        "steps": some(f"{step.name} by {step.service} ({step.role}, in {step.instances})" for step in each.steps),
        "compensations": some(
            f"{one.by_name} undoes {one.undone_name} after {', '.join(one.after)} ({one.certainty})"
            for one in each.compensations
        ),
        "instances": each.instances,
        "completed": each.completed,
        "compensated": each.compensated,
        "failed": each.failed,
        "stuck": each.stuck,
        "evidence": proof(each.evidence),
    }
