"""Message Contracts: bodies that were read, their encodings, and which services a change reaches. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.passes.text_fields import text_fields
from msgtrace_analysis.renderers.guide.registry import registered

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Contract, Event, Findings


def values(findings: Findings) -> dict[str, Any]:
    """Contracts with and without samples."""
    encodings: dict[str, dict[str, None]] = {}
    for use in findings.uses:
        encodings.setdefault(use.event, {}).update(dict.fromkeys(use.encodings))

    def registry(event: Event, contract: Contract) -> Any:
        return registered(event, contract, list(encodings.get(event.ref, ())))

    return {
        "read": [each for each in findings.contracts if each.samples],
        "unread": [each for each in findings.contracts if not each.samples],
        "registry": registry,
        "text_fields": text_fields,
        "ruled": ruled,
    }


def ruled(contract: Contract) -> list[Any]:
    """The fields whose values keep to more than a type."""
    return [each for each in contract.fields if each.format or each.values or each.range]
