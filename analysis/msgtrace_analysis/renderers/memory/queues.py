"""Channels as an agent needs them: settings, bindings, who takes from them, where dead messages go. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.memory.brief import proof, settings, short, some, where
from msgtrace_analysis.renderers.topology_values import durable, plain_sentence, type_of

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Binding, Channel, DeadLetter, Findings, Subscription

IN_PROCESS: Final = frozenset({"bus", "connection"})
"""Kinds that nothing is configured of."""


def all_of(findings: Findings) -> list[dict[str, Any]]:
    """Every channel that a broker has."""
    topology = findings.topology
    bindings: defaultdict[tuple[str, str], list[Binding]] = defaultdict(list)
    for bound in topology.bindings:
        bindings[bound.system, bound.source].append(bound)
    takers: defaultdict[tuple[str, str], list[Subscription]] = defaultdict(list)
    for each in topology.subscriptions:
        takers[each.system, each.channel].append(each)
    dead = {each.queue: each for each in topology.dead_letters}
    remarks: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for gap in topology.gaps:
        remarks[gap.system, gap.kind, gap.name].append(f"{gap.check}: {plain_sentence(gap)}")
    return [
        {
            **_entry(each),
            "bindings": [_binding(one) for one in bindings[each.system, each.name]] if each.kind == "exchange" else [],
            "subscribers": [_taker(one) for one in takers[each.system, each.name]],
            "dead_letters": _dead(dead[each.name]) if each.kind == "queue" and each.name in dead else None,
            "remarks": some(remarks[each.system, each.kind, each.name]),
        }
        for each in topology.channels
        if each.kind not in IN_PROCESS
    ]


def _entry(each: Channel) -> dict[str, Any]:
    return {
        "name": short(each.name),
        "system": each.system,
        "kind": each.kind,
        "type": type_of(each),
        "durable": durable(each),
        "alike": each.alike,
        "declared_by": some(each.declared_by),
        "settings": settings([dict(form) for form in each.settings]),
        "inspected": settings([dict(form) for form in each.inspected]),
        "sent": each.sends,
        "received": each.receives,
        "evidence": proof(each.evidence),
    }


def _binding(each: Binding) -> dict[str, Any]:
    return {
        "pattern": short(each.routing_key),
        each.destination_kind: short(each.destination),
        "arguments": dict(each.settings),
        "used": each.used,
    }


def _taker(each: Subscription) -> dict[str, Any]:
    return {
        "service": each.service,
        "group": each.group,
        "handlers": some(where(handler) for handler in each.handlers),
        "settings": settings([dict(form) for form in each.settings]),
    }


def _dead(each: DeadLetter) -> dict[str, Any]:
    return {
        "exchange": short(each.exchange),
        "routing_key": each.routing_key,
        "queues": some(each.targets),
        "outcome": each.outcome,
        "ttl_ms": each.time_to_live,
        "max_length": each.length_limit,
        "delivery_limit": each.delivery_limit,
        "reasons": list(each.reasons),
        "cycle": each.cycle,
    }
