"""What report.html draws, as one JSON document. Pure.

Event types, channels and services are numbered, and everything else refers to them by these numbers: names may be long, or
alike. The page's own types are in analysis/report_page/src/data.ts, in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.html.event_values import contract, event
from msgtrace_analysis.renderers.html.flow_values import execution, flow
from msgtrace_analysis.renderers.html.numbering import Numbering
from msgtrace_analysis.renderers.html.score_values import completeness, recording, scores
from msgtrace_analysis.renderers.html.topology_values import topology
from msgtrace_analysis.renderers.json_values import time_of
from msgtrace_analysis.renderers.retry_values import delays_text, then_text

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Findings, Timeline, Timelines

FORMAT: Final = "msgtrace/report-page"
VERSION: Final = 2
MOST_FLOWS: Final = 300


def page(findings: Findings) -> dict[str, Any]:
    """The whole document; `contracts` are in the order of `events`."""
    numbers = Numbering(findings)
    contracts = {contract.event: contract for contract in findings.contracts}
    rates = {rate.subject: rate for rate in findings.frequencies.of("event")}
    lines = {line.event: line for line in findings.timelines.events}
    kept = range(min(MOST_FLOWS, len(findings.flows)))
    return {
        "format": FORMAT,
        "version": VERSION,
        "trace": recording(findings),
        "services": [
            {
                "name": name,
                "processes": known.processes if known else 0,
                "operations": known.operations if known else 0,
                "pythons": list(known.pythons) if known else [],
            }
            for name, known in numbers.services()
        ],
        "channels": [{"system": system, "kind": kind, "name": name} for system, kind, name in numbers.channels],
        "events": [event(each, rates.get(each.ref), lines.get(each.ref), numbers) for each in findings.events],
        "contracts": [
            contract(contracts[each.ref], numbers) if each.ref in contracts else None for each in findings.events
        ],
        "traffic": _traffic(findings, numbers),
        "flows": [flow(findings.flows[place], numbers) for place in kept],
        "flows_left_out": len(findings.flows) - len(kept),
        "executions": [execution(each, numbers) for each in findings.executions if each.flow in kept],
        "timelines": _timelines(findings.timelines),
        "topology": topology(findings.topology, findings.uses, numbers),
        "retrying": [
            {
                "service": each.service,
                "system": each.system,
                "channel": each.channel,
                "mechanism": each.mechanism,
                "certainty": each.mechanism_certainty,
                "events": numbers.known_events(each.events),
                "delays": delays_text(each.policy),
                "attempts": each.policy.max_attempts,
                "then": then_text(each.policy),
                "messages": each.groups,
                "recovered": each.recovered,
                "given_up": each.exhausted,
                "note": each.note,
            }
            for each in findings.retrying.observed
        ],
        "resilience": scores(findings.resilience),
        "completeness": completeness(findings),
        "observations": [
            {
                "sentence": each.sentence.format(*each.names, n=f"{each.evidence.operations:,}"),
                "operations": list(each.evidence.examples),
                "certainty": each.evidence.certainty,
            }
            for each in findings.observations
        ],
        "frequencies": {"seconds": findings.frequencies.seconds, "note": findings.frequencies.note},
    }


def _traffic(findings: Findings, numbers: Numbering) -> list[dict[str, Any]]:
    """Who sends what to whom."""
    failed = {
        (rate.source, rate.target, rate.subject): (rate.failed, rate.per_second)
        for rate in findings.frequencies.of("edge")
    }
    rows = []
    for each in findings.traffic:
        broken, per_second = failed.get((each.source, each.target, each.event), (None, None))
        rows.append({
            "source": numbers.service(each.source), "target": numbers.service(each.target), "event": numbers.event(each.event),
            "messages": each.messages, "receives": each.receives, "failed": broken, "per_second": per_second,
            "certainty": each.certainty,
        })  # fmt: skip
    return rows


def _timelines(value: Timelines) -> dict[str, Any]:
    return {
        "begin": time_of(value.begin_ns) if value.parts else None,
        "begin_ms": value.begin_ns // 1_000_000,
        "width_ms": value.width_ns / 1e6,
        "parts": value.parts,
        "whole": None if value.whole is None else line(value.whole),
    }


def line(value: Timeline) -> dict[str, Any]:
    """A timeline."""
    return {
        "sends": list(value.sends), "receives": list(value.receives), "again": list(value.again),
        "failed": list(value.failed), "p50_ms": list(value.p50_ms), "p95_ms": list(value.p95_ms),
    }  # fmt: skip
