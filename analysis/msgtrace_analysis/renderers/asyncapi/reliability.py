"""What a receiving operation promises, and how it tries again: AsyncAPI has no fields for either, so they stand under `x-`. Pure.

See https://github.com/asyncapi/spec/issues/1234.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.markdown import visible
from msgtrace_analysis.renderers.retry_values import delays_text, then_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import Findings, ObservedPolicy, Use


def reliability(findings: Findings, service: str, uses: Iterable[Use]) -> dict[str, Any]:
    """Fields of a receiving operation; none where nothing is known."""
    channels = {(use.system, use.channel) for use in uses}
    consumers = [
        each
        for each in findings.guarantees.consumers
        if each.service == service and (each.system, each.channel) in channels
    ]
    tried = [
        each
        for each in findings.retrying.observed
        if each.service == service and (each.system, each.channel) in channels
    ]
    written: dict[str, Any] = {}
    if consumers:
        written["x-delivery"] = [
            {
                "promises": each.guarantee, "acknowledges": each.mode, "when": each.moment, "certainty": each.certainty,
                **({"group": visible(each.group)} if each.group else {}),
            }
            for each in consumers
        ]  # fmt: skip
    if tried:
        written["x-retry"] = [_retry(each) for each in tried]
    return written


def _retry(each: ObservedPolicy) -> dict[str, Any]:
    known: dict[str, Any] = {
        "comes-back-by": each.mechanism,
        "through": [visible(name) for name in each.route],
        "delays": delays_text(each.policy),
        "max-attempts": each.policy.max_attempts,
        "then": visible(then_text(each.policy)),
        "messages": each.groups,
        "recovered": each.recovered,
        "given-up": each.exhausted,
        "certainty": each.evidence.certainty,
        "operations": list(each.evidence.examples),
    }
    return {name: value for name, value in known.items() if value not in (None, [])}
