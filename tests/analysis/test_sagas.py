"""Sagas: what belongs together, how it ends, what undoes what, and where it stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.analysis.conversing import MS, publish, request, travel

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings, Saga
    from tests.analysis.made_trace import MadeTrace

GOOD = (
    ("order.placed", "orders"),
    ("stock.reserved", "stock"),
    ("payment.charged", "payments"),
    ("order.confirmed", "orders"),
)
BAD = (
    ("order.placed", "orders"),
    ("stock.reserved", "stock"),
    ("payment.declined", "payments"),
    ("stock.released", "stock"),
)
HALF = GOOD[:2]


def carried(how: str, number: int) -> dict[str, Any]:
    """A message's correlation id, at one of the places where it may stand."""
    if how == "property":
        return {"correlation_id": f"c{number}"}
    if how == "header":
        return {"headers": {"X-Correlation-ID": f"c{number}", "tenant": "a"}}
    return {"body": {"metadata": {"correlationId": f"c{number}"}, "n": number}}


def played(made: MadeTrace, how: str = "property", good: int = 6, bad: int = 3, half: int = 0) -> None:
    """Stuck ones first, so that others go on after them."""
    ways = [HALF] * half + [GOOD] * good + [BAD] * bad
    for number, way in enumerate(ways):
        travel(made, *way, **carried(how, number))


def of(findings: Callable[[], Findings]) -> Saga:
    (found,) = findings().conversations.sagas
    return found


@pytest.mark.parametrize("how", ["property", "header", "body"])
def test_a_correlation_id_holds_steps_together(made: MadeTrace, findings: Callable[[], Findings], how: str) -> None:
    played(made, how)
    found = of(findings)
    assert (found.name, found.key, found.services) == (
        "order.placed",
        "correlation id",
        ("orders", "payments", "stock"),
    )
    assert [(each.name, each.service, each.instances) for each in found.steps][:2] == [
        ("order.placed", "orders", 9), ("stock.reserved", "stock", 9),
    ]  # fmt: skip
    assert (found.instances, found.completed, found.compensated, found.failed, found.stuck) == (9, 6, 3, 0, 0)
    assert found.evidence.certainty == "likely"


def test_what_undoes_a_step_after_a_failure_is_a_compensation_and_never_exact(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    played(made)
    (found,) = of(findings).compensations
    assert (found.undone_name, found.by_name, found.after) == (
        "stock.reserved",
        "stock.released",
        ("payment.declined",),
    )
    assert (found.instances, found.without_failure, found.certainty) == (3, 0, "likely")


def test_one_sighting_is_a_guess(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    played(made, bad=1)
    (found,) = of(findings).compensations
    assert (found.instances, found.certainty) == (1, "guess")


def test_undoing_without_a_failure_is_no_compensation(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(5):
        travel(
            made, GOOD[0], GOOD[1], ("room.cleaned", "rooms"), ("stock.released", "stock"), correlation_id=f"c{number}"
        )
    found = of(findings)
    assert (found.compensations, found.completed) == ((), 5)


def test_a_failed_handler_is_a_failure_without_a_name(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(3):
        shared: dict[str, Any] = {"correlation_id": f"c{number}"}
        reserved = travel(made, GOOD[0], GOOD[1], ("x", "payments"), **shared)
        assert reserved is None
        last = publish(made, "payment.asked", service="orders", **shared)
        made.receive(
            last,
            service="payments",
            channel="payments.events",
            channel_kind="queue",
            outcome="raised",
            error_type="Declined",
        )
        publish(made, "stock.released", service="stock", **shared)
    assert [each.by_name for each in of(findings).compensations] == ["stock.released"]


def test_standing_still_is_told_from_going_on(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    played(made, half=2, bad=0)
    travel(made, *HALF, correlation_id="just begun")
    found = of(findings)
    assert (found.instances, found.completed, found.stuck, found.open) == (9, 6, 2, 1)
    assert [(each.name, each.instances) for each in found.stuck_at] == [("stock.reserved", 2)]


def test_a_causation_id_leads_to_the_first(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(3):
        for place, (name, service) in enumerate(GOOD):
            headers = {"causation-id": f"m{number}.{place - 1}"} if place else {}
            publish(made, name, service=service, message_id=f"m{number}.{place}", headers=headers)
    found = of(findings)
    assert (found.key, found.instances, len(found.steps)) == ("causation id", 3, 4)


def test_cause_alone_needs_something_undone(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(3):
        travel(made, *GOOD, cause=request(made))
    assert findings().conversations.sagas == ()


def test_cause_alone_with_something_undone(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for way in (GOOD, BAD, BAD, BAD):
        travel(made, *way, cause=request(made))
    found = of(findings)
    assert (found.key, found.compensated, found.evidence.certainty) == ("cause", 3, "guess")


def test_an_id_that_everything_carries_is_no_transaction(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(400):
        travel(made, *GOOD[:3], correlation_id="all", after_ns=MS if number else None)
    assert findings().conversations.sagas == ()
