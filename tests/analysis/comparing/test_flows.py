"""Flows and steps that are there no more."""

from __future__ import annotations

from msgtrace_analysis.comparing.flows import flows
from tests.analysis.comparing.runs import event, flow, run, step

PAID = event("order.paid")


def test_a_step_that_follows_no_more() -> None:
    base = run(event(), PAID, flows=(flow(step(event()), step(PAID)),))
    head = run(event(), PAID, flows=(flow(step(event())),))
    (delta,) = flows(base, head)
    assert (delta.subject, delta.part, delta.how) == ("POST /orders", "order.paid from web", "vanished")
    assert (delta.base, delta.head) == ("after 20 of 20", "after 0 of 20")
    assert delta.breaking == "it follows from POST /orders no more"


def test_what_is_sent_nowhere_is_told_once() -> None:
    base = run(event(), PAID, flows=(flow(step(event()), step(PAID)),))
    (delta,) = flows(base, run(event(), flows=(flow(step(event())),)))
    assert (delta.how, delta.breaking) == ("vanished", "")


def test_a_rare_step_needs_more_triggers() -> None:
    base = run(event(), PAID, flows=(flow(step(event()), step(PAID, after=2)),))
    (delta,) = flows(base, run(event(), PAID, flows=(flow(step(event())),)))
    assert (delta.how, delta.breaking) == ("not seen", "")


def test_a_trigger_that_did_not_come_breaks_nothing() -> None:
    (delta,) = flows(run(event(), flows=(flow(step(event())),)), run(event()))
    assert (delta.aspect, delta.how, delta.breaking) == ("flow", "vanished", "")
