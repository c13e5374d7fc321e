"""Variants: the usual way and the rare ones, counted, and which of them failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.passes.variants import LISTED
from tests.analysis.conversing import handle, publish, request, travel

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings, Variant
    from tests.analysis.made_trace import MadeTrace


def ways(found: tuple[Variant, ...]) -> list[tuple[list[str], int, bool]]:
    return [([hop.name or "trigger" for hop in each.hops], each.executions, each.failed) for each in found]


def test_the_usual_way_comes_first_and_repetitions_do_not_matter(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for number in range(5):
        trigger = request(made)
        for _ in range(1 + number):
            handle(made, publish(made, "line", trigger), "stock")
        if number == 3:
            publish(made, "gift", trigger)
    (flow,) = findings().flows
    assert ways(flow.variants) == [(["line"], 4, False), (["gift", "line"], 1, False)]
    assert flow.variants[0].evidence.operations == 4
    assert flow.unlisted == 0


def test_what_failed_is_another_way_and_says_how(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for outcome in ("ok", "ok", "raised", "reject", "dead"):
        send = publish(made, "order.placed", request(made))
        failed = {"outcome": "raised", "error_type": "ValueError"} if outcome == "raised" else {}
        headers = {"x-death": [{"reason": "rejected"}]} if outcome == "dead" else None
        receive = handle(made, send, "stock", headers=headers, **failed)
        if outcome == "reject":
            made.settle("reject", receive, service="stock")
    (flow,) = findings().flows
    assert [(each.executions, each.failed) for each in flow.variants] == [(2, False), (1, True), (1, True), (1, True)]
    hops = [each.hops[0] for each in flow.variants[1:]]
    assert [(hop.outcome, hop.dead_lettered) for hop in hops] == [("raised", False), ("reject", False), ("", True)]
    (delivery,) = flow.steps[0].deliveries
    assert delivery.failed == (("raised", 1), ("reject", 1), ("dead-lettered", 1))


def test_a_handler_that_its_own_operation_says_failed(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    receive = handle(made, publish(made, "a", request(made)), "stock")
    made.cause(
        receive, made.operation("process", service="stock", outcome="raised", error_type="E", duration_ns=7_000_000)
    )
    (delivery,) = findings().flows[0].steps[0].deliveries
    assert delivery.failed == (("raised", 1),)
    assert delivery.handling is not None
    assert delivery.handling.p50_ms == 7.0


def test_a_request_that_failed_itself(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    request(made)
    made.operation(
        "trigger", "http", service="web", channel="/orders", channel_kind="route", routing_key="POST", outcome="raised",
        error_type="E",
    )  # fmt: skip
    (flow,) = findings().flows
    assert ways(flow.variants) == [(["trigger"], 1, True)]


def test_a_guess_makes_a_guess(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    publish(made, "a", request(made))
    publish(made, "b", request(made), "guess")
    (flow,) = findings().flows
    assert {each.hops[0].name: each.evidence.certainty for each in flow.variants} == {"a": "likely", "b": "guess"}


def test_too_many_ways_are_counted_and_not_listed(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(LISTED + 5):
        publish(made, f"type {number}", request(made))
    (flow,) = findings().flows
    assert (len(flow.variants), flow.unlisted) == (LISTED, 5)


def test_depth_fan_out_and_the_time_to_the_end(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    trigger = request(made)
    travel(made, ("a", "web"), ("b", "stock"), ("c", "mail"), cause=trigger)
    last = publish(made, "wide", trigger)
    for number in range(30):
        handle(made, last, f"s{number % 3}", redelivered=number >= 25)
    (flow,) = findings().flows
    assert (flow.depth, flow.fan_out) == (3, 25)
    assert flow.end_to_end is not None
    assert (flow.end_to_end.messages, flow.end_to_end.p50_ms) == (1, 36.0)
