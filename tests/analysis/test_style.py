"""Who decides how a flow goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.analysis.conversing import handle, publish, request, travel

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings, Style
    from tests.analysis.made_trace import MadeTrace


def of(findings: Callable[[], Findings]) -> Style | None:
    (flow,) = findings().flows
    return flow.style


def test_one_who_sends_orders_and_hears_of_them_orchestrates(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    cause = request(made, service="boss")
    for service in ("stock", "payments", "mail"):
        order = publish(made, f"do.{service}", cause, service="boss")
        done = publish(made, f"done.{service}", handle(made, order, service), service=service)
        cause = handle(made, done, "boss")
    found = of(findings)
    assert found is not None
    assert (found.kind, found.coordinator, found.certainty) == ("orchestration", "boss", "likely")


def test_each_who_reacts_to_the_one_before_is_a_choreography(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    travel(made, ("a", "web"), ("b", "stock"), ("c", "payments"), ("d", "mail"), cause=request(made))
    found = of(findings)
    assert found is not None
    assert (found.kind, found.coordinator) == ("choreography", None)


def test_one_event_for_many_is_too_short_to_tell(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    send = publish(made, "a", request(made))
    for service in ("stock", "payments", "mail"):
        handle(made, send, service)
    found = of(findings)
    assert found is not None
    assert found.kind == "too short to tell"


def test_what_stays_inside_of_a_service_has_none(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    handle(made, publish(made, "a", request(made)), "web")
    assert of(findings) is None
