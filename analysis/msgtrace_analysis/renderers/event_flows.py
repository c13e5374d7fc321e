"""Renders EVENT_FLOWS.json: flows, event catalogue and queue topology for programs to read.

Its shape is held by `event_flows.schema.json` beside this file. The same findings give the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.text_fields import text_fields
from msgtrace_analysis.renderers.catalog_values import Described
from msgtrace_analysis.renderers.contract_values import counted
from msgtrace_analysis.renderers.flow_values import flow
from msgtrace_analysis.renderers.json_values import text
from msgtrace_analysis.renderers.topology_values import durable, type_of
from msgtrace_analysis.renderers.values import value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import Binding, Channel, Contract, Event, Findings, Topology

FORMAT: Final = "msgtrace/event-flows"
VERSION: Final = 1


def render(findings: Findings) -> str:
    """The whole file, ending in a newline."""
    return text(document(findings))


def document(findings: Findings) -> dict[str, Any]:
    """The same as a value."""
    contracts = {contract.event: contract for contract in findings.contracts}
    described = Described(findings)
    return {
        "format": FORMAT,
        "version": VERSION,
        "trace": value(findings.recording),
        "stack": value(findings.stack),
        "flows": [flow(each) for each in findings.flows],
        "conversations": value(findings.conversations),
        "event_catalog": [
            event(each, found) | described.of(each, found)
            for each in findings.events
            for found in [contracts.get(each.ref)]
        ],
        "queue_topology": _topology(findings.topology),
        "reliability": value(findings.reliability),
        "retrying": value(findings.retrying),
        "dead_letters": value(findings.dead_letters),
        "circuit_breakers": value(findings.breakers.breakers),
        "delivery": value(findings.guarantees),
        "security": {**value(findings.security), "permissions": value(findings.topology.permissions)},
        "resilience": value(findings.resilience),
        "alerts": value(findings.alerts),
        "observations": value(findings.observations),
        "messages": value(findings.practices),
        "completeness": value(findings.completeness),
        "frequencies": value(findings.frequencies),
    }


def event(event: Event, contract: Contract | None) -> dict[str, Any]:
    """One event type and its contract."""
    return {
        "id": event.ref,
        "name": event.name,
        "system": event.system,
        "channel": event.address,
        "channel_kind": event.channel_kind,
        "channels": list(event.channels),
        "parameters": value(event.parameters),
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
        "producers": [value(each.place) | {"evidence": value(each.evidence)} for each in event.publishers],
        "consumers": [value(each.place) | {"evidence": value(each.evidence)} for each in event.consumers],
        "schema": None if contract is None or not contract.samples else dict(contract.schema),
        "sent_as_json_text": list(text_fields(event, contract)),
        "schema_samples": 0 if contract is None else contract.samples,
        "schema_unread": 0 if contract is None else contract.unread,
        "schema_certainty": None if contract is None or not contract.samples else contract.certainty,
        **counted(contract),
        "evidence": value(event.evidence),
    }


def _topology(topology: Topology) -> dict[str, Any]:
    bound: defaultdict[tuple[str, str], list[Binding]] = defaultdict(list)
    for binding in topology.bindings:
        bound[binding.system, binding.source].append(binding)
    channels = [
        _channel(each, bound[each.system, each.name] if each.kind == "exchange" else []) for each in topology.channels
    ]
    return {**value(topology), "channels": channels}


def _channel(each: Channel, bound: Iterable[Binding]) -> dict[str, Any]:
    """A channel; of an exchange what it is bound to, too."""
    return {
        **value(each),
        "type": type_of(each),
        "durable": durable(each),
        "bindings": [{"pattern": one.routing_key, one.destination_kind: one.destination} for one in bound],
    }
