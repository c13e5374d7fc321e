"""Event types as an agent needs them: ends, fields, how often. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.text_fields import text_fields
from msgtrace_analysis.renderers.catalog_values import Described
from msgtrace_analysis.renderers.memory.brief import body, proof, short, some, where

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Contract, Event, Findings

WEBSOCKET: Final = "websocket"


def all_of(findings: Findings) -> list[dict[str, Any]]:
    """Every event type."""
    described, contracts = Described(findings), _contracts(findings)
    return [_entry(event, contracts.get(event.ref), described) for event in findings.events]


def of_websockets(findings: Findings) -> list[dict[str, Any]]:
    """Those of WebSocket connections; who sends and who receives says the direction."""
    described, contracts = Described(findings), _contracts(findings)
    return [
        {**_entry(event, contracts.get(event.ref), described), "direction": _direction(event)}
        for event in findings.events
        if event.system == WEBSOCKET
    ]


def _contracts(findings: Findings) -> dict[str, Contract]:
    return {contract.event: contract for contract in findings.contracts}


def _entry(event: Event, contract: Contract | None, described: Described) -> dict[str, Any]:
    return {
        "name": short(event.name),
        "id": short(event.ref),
        "on": short(f"{event.system} {event.channel_kind} {event.address}"),
        "kind": event.judgement.kind,
        "kind_certainty": event.judgement.certainty,
        "named_by": event.named_by,
        "producers": some(where(each.place) for each in event.publishers),
        "consumers": some(where(each.place) for each in event.consumers),
        **described.of(event, contract),
        "body": body(contract),
        **_versions(contract),
        "sent_as_json_text": some(text_fields(event, contract)),
        "body_samples": 0 if contract is None else contract.samples,
        "also_on": some(event.also_on),
        "evidence": proof(event.evidence),
    }


def _versions(contract: Contract | None) -> dict[str, Any]:
    """What the newest version changed: `body` is of all versions together, and nobody sends all of it."""
    if contract is None or len(contract.versions) < 2:
        return {}
    newest = contract.versions[-1]
    return {
        "body_is_of": f"all {len(contract.versions)} versions together",
        "last_version": short(newest.name),
        "last_version_changed": some(f"{each.path}: {each.what}" for each in newest.changes),
    }


def _direction(event: Event) -> str:
    senders = {each.place.service for each in event.publishers}
    receivers = {each.place.service for each in event.consumers}
    return short(f"{' and '.join(sorted(senders)) or 'not seen'} to {' and '.join(sorted(receivers)) or 'not seen'}")
