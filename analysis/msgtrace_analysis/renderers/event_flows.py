"""Renders EVENT_FLOWS.json: flows, event catalogue and queue topology for programs to read.

Its shape is held by `event_flows.schema.json` beside this file. The same findings give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.contract_values import counted
from msgtrace_analysis.renderers.flow_values import conversations, flow
from msgtrace_analysis.renderers.json_values import evidence, place, text, time_of
from msgtrace_analysis.renderers.rate_values import frequencies
from msgtrace_analysis.renderers.retry_values import dead_letters, retrying
from msgtrace_analysis.renderers.topology_values import durable, gap, inspection, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import (
        Binding,
        Channel,
        Completeness,
        Contract,
        Event,
        Findings,
        Place,
        Recording,
        Reliability,
        Subscription,
        Topology,
    )

FORMAT: Final = "msgtrace/event-flows"
VERSION: Final = 1


def render(findings: Findings) -> str:
    """The whole file, ending in a newline."""
    contracts = {contract.event: contract for contract in findings.contracts}
    document = {
        "format": FORMAT,
        "version": VERSION,
        "trace": _recording(findings.recording),
        "flows": [flow(each) for each in findings.flows],
        "conversations": conversations(findings.conversations),
        "event_catalog": [event(each, contracts.get(each.ref)) for each in findings.events],
        "queue_topology": _topology(findings.topology),
        "reliability": _reliability(findings.reliability),
        "retrying": retrying(findings.retrying),
        "dead_letters": dead_letters(findings.dead_letters),
        "completeness": _completeness(findings.completeness),
        "frequencies": frequencies(findings.frequencies),
    }
    return text(document)


def _recording(value: Recording) -> dict[str, Any]:
    return {
        "trace_id": value.trace_id,
        "msgtrace_version": value.msgtrace_version,
        "operations": value.operations,
        "kinds": dict(value.kinds),
        "first_seen": time_of(value.first_seen_ns),
        "last_seen": time_of(value.last_seen_ns),
        "still_recording": value.recording,
        "links_incomplete": value.note or None,
    }


def _services(places: Iterable[Place]) -> list[str]:
    return sorted({place.service for place in places})


def event(event: Event, contract: Contract | None) -> dict[str, Any]:
    """One event type and its contract."""
    return {
        "id": event.ref,
        "name": event.name,
        "system": event.system,
        "channel": event.address,
        "channel_kind": event.channel_kind,
        "channels": list(event.channels),
        "parameters": [
            {"of": each.of, "name": each.name, "type": each.type, "values": each.values} for each in event.parameters
        ],
        "also_on": list(event.also_on),
        "kind": event.judgement.kind,
        "kind_reasons": list(event.judgement.reasons),
        "kind_certainty": event.judgement.certainty,
        "named_by": event.named_by,
        "sent": event.sends,
        "received": event.receives,
        "per_second": event.per_second,
        "body_bytes": None
        if event.sizes is None
        else {"min": event.sizes.smallest_bytes, "median": event.sizes.median_bytes, "max": event.sizes.largest_bytes},
        "publishers": [place(each.place) | {"evidence": evidence(each.evidence)} for each in event.publishers],
        "consumers": [place(each.place) | {"evidence": evidence(each.evidence)} for each in event.consumers],
        "schema": None if contract is None or not contract.samples else dict(contract.schema),
        "schema_samples": 0 if contract is None else contract.samples,
        "schema_unread": 0 if contract is None else contract.unread,
        "schema_certainty": None if contract is None or not contract.samples else contract.certainty,
        **counted(contract),
        "evidence": evidence(event.evidence),
    }


def _topology(topology: Topology) -> dict[str, Any]:
    return {
        "channels": [_channel(each, topology) for each in topology.channels],
        "bindings": [_binding(each) for each in topology.bindings],
        "subscriptions": [_subscription(each) for each in topology.subscriptions],
        "dead_letters": [
            {
                "queue": each.queue,
                "exchange": each.exchange,
                "routing_key": each.routing_key,
                "time_to_live_ms": each.time_to_live,
                "length_limit": each.length_limit,
                "virtual_host": each.virtual_host,
                "origin": each.origin,
                "overflow": each.overflow,
                "delivery_limit": each.delivery_limit,
                "reasons": list(each.reasons),
                "targets": list(each.targets),
                "outcome": each.outcome,
                "cycle": each.cycle,
                "way": list(each.way),
                "evidence": evidence(each.evidence),
            }
            for each in topology.dead_letters
        ],
        "inspections": [inspection(each) for each in topology.inspections],
        "gaps": [gap(each) for each in topology.gaps],
        "limits": [
            {
                "system": each.system,
                "service": each.service,
                "action": each.action,
                "settings": dict(each.settings),
                "evidence": evidence(each.evidence),
            }
            for each in topology.limits
        ],
    }


def _channel(each: Channel, topology: Topology) -> dict[str, Any]:
    return {
        "system": each.system,
        "kind": each.kind,
        "name": each.name,
        "alike": each.alike,
        "type": type_of(each),
        "durable": durable(each),
        "bindings": [
            {"pattern": bound.routing_key, bound.destination_kind: bound.destination}
            for bound in topology.bindings
            if each.kind == "exchange" and (bound.system, bound.source) == (each.system, each.name)
        ],
        "virtual_hosts": list(each.virtual_hosts),
        "settings": [dict(form) for form in each.settings],
        "declared_by": list(each.declared_by),
        "actions": list(each.actions),
        "sent": each.sends,
        "received": each.receives,
        "inspected": [dict(form) for form in each.inspected],
        "state": None if each.state is None else dict(each.state),
        "inspected_at": time_of(each.inspected_ns),
        "evidence": evidence(each.evidence),
    }


def _binding(each: Binding) -> dict[str, Any]:
    return {
        "system": each.system,
        "source": each.source,
        "destination": each.destination,
        "destination_kind": each.destination_kind,
        "routing_key": each.routing_key,
        "arguments": dict(each.settings),
        "declared_by": list(each.declared_by),
        "virtual_host": each.virtual_host,
        "used": each.used,
        "evidence": evidence(each.evidence),
    }


def _subscription(each: Subscription) -> dict[str, Any]:
    return {
        "system": each.system,
        "channel": each.channel,
        "channel_kind": each.channel_kind,
        "group": each.group,
        "service": each.service,
        "handlers": [place(handler) for handler in each.handlers],
        "settings": [dict(form) for form in each.settings],
        "evidence": evidence(each.evidence),
    }


def _reliability(value: Reliability) -> dict[str, Any]:
    return {
        "retries": [
            {
                "event": each.event,
                "system": each.system,
                "channel": each.channel,
                "service": each.service,
                "messages": each.messages,
                "attempts": each.attempts,
                "reasons": dict(each.reasons),
                "evidence": evidence(each.evidence),
            }
            for each in value.retries
        ],
        "settlements": [
            {
                "system": each.system,
                "channel": each.channel,
                "service": each.service,
                "outcome": each.outcome,
                "settlements": each.settlements,
                "receives": each.receives,
                "evidence": evidence(each.evidence),
            }
            for each in value.outcomes
        ],
        "failures": [
            {
                "place": place(each.place),
                "kind": each.kind,
                "system": each.system,
                "channel": each.channel,
                "error_type": each.error_type or None,
                "example": each.message,
                "evidence": evidence(each.evidence),
            }
            for each in value.failures
        ],
    }


def _completeness(value: Completeness) -> dict[str, Any]:
    return {
        "links": dict(value.links),
        "causes": dict(value.causes),
        "sends_without_cause": value.uncaused,
        "without_end": value.unfinished,
        "bodies_not_decoded": value.unread,
        "secrets_replaced": value.redacted,
        "unlinked": [
            {
                "side": each.side,
                "system": each.system,
                "channel": each.channel,
                "likely_reason": each.reason,
                "evidence": evidence(each.evidence),
            }
            for each in value.unlinked
        ],
        "losses": [
            {"service": each.service, "reason": each.reason, "detail": each.detail, "lost": each.lost}
            for each in value.losses
        ],
    }
