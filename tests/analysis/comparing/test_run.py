"""A report is read as it was written, and what is none is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_analysis.comparing.compare import compare
from msgtrace_analysis.comparing.run import ReportError, read_run
from msgtrace_analysis.renderers import event_flows
from tests.analysis.conversing import handle, publish, request
from tests.analysis.hostile import NAMES, hostile_trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def test_what_main_writes(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(12):
        send = publish(made, "order.placed", request(made), body={"id": number, "schema_version": 2})
        handle(made, send, "billing")
    run = read_run(event_flows.render(findings()))
    (event,) = run.event_catalog
    assert (event.name, event.sent, event.received, event.messages) == ("order.placed", 12, 12, 12)
    assert [(each.service, each.label, each.evidence.operations) for each in event.consumers] == [
        ("billing", "on_event", 12)
    ]
    assert event.version_said is not None
    assert (event.version_said.said_by, event.version_said.version) == ("field schema_version", "2")
    assert event.schema_counts is not None
    assert event.schema_counts["fields"]["id"] == {"seen": 12, "types": {"integer": 12}}
    (flow,) = run.flows
    assert (flow.group, flow.name, flow.triggered) == ("web", "POST /orders", 12)
    (step,) = flow.events
    assert (step.event, step.publisher, step.after_triggers) == (event.id, "web", 12)
    (delivery,) = step.deliveries
    assert delivery.observed is not None
    assert delivery.observed.p50_between_ms == (1.0, 1.0)
    assert compare(run, run).deltas == ()


def test_hostile_names(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    run = read_run(event_flows.render(findings()))
    assert {each.name for each in run.event_catalog} == set(NAMES)
    assert compare(run, run).deltas == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no report"),
        ('{"format": "other"}', "is no report"),
        ('{"format": "msgtrace/event-flows", "version": 99}', "is of version 99"),
        ('{"format": "msgtrace/event-flows", "version": 1}', "missing required field"),
    ],
)
def test_what_is_no_report(text: str, why: str) -> None:
    with pytest.raises(ReportError, match=why):
        read_run(text)


def test_a_damaged_report(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    publish(made, "order.placed", body={"id": 1})
    document: Any = json.loads(event_flows.render(findings()))
    document["event_catalog"][0]["sent"] = "many"
    with pytest.raises(ReportError, match=r"damaged: .*sent"):
        read_run(json.dumps(document))
