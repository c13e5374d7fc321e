"""Circles of event types, and whether anything went round in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.analysis.conversing import handle, publish, request, travel

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Cycle, Findings
    from tests.analysis.made_trace import MadeTrace


def found_in(findings: Callable[[], Findings]) -> list[tuple[list[str], int, int, int, str]]:
    def told(each: Cycle) -> tuple[list[str], int, int, int, str]:
        names = [name for _, name in each.events]
        return names, each.messages, each.executions, each.rounds, each.evidence.certainty

    return [told(each) for each in findings().conversations.cycles]


def test_a_type_that_leads_to_itself(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    travel(made, *[("retry", "web")] * 4, cause=request(made))
    travel(made, ("other", "web"), ("end", "mail"), cause=request(made))
    assert found_in(findings) == [(["retry"], 3, 1, 3, "exact")]


def test_two_types_that_lead_to_each_other_through_a_process(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    cause: int | None = None
    for name, service in (("ping", "a"), ("pong", "b")) * 2:
        received = handle(made, publish(made, name, cause, service=service), "b" if service == "a" else "a")
        cause = made.cause(received, made.operation("process", service=service))
    assert found_in(findings) == [(["ping", "pong"], 3, 1, 1, "likely")]


def test_a_way_there_and_another_way_back_are_a_circle_that_nothing_went_round(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    travel(made, ("a", "x"), ("b", "y"))
    travel(made, ("b", "y"), ("a", "x"))
    assert found_in(findings) == [(["a", "b"], 2, 0, 0, "guess")]


def test_no_circle(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    travel(made, ("a", "x"), ("b", "y"), ("c", "z"))
    assert found_in(findings) == []
