"""Event types and parties that are there no more: sure only where messages would have been seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.comparing.events import events
from tests.analysis.comparing.runs import event, flow, party, run, step

if TYPE_CHECKING:
    from msgtrace_analysis.findings.differences import Delta


def told(deltas: list[Delta]) -> list[tuple[str, str, str, str, bool]]:
    return [(each.aspect, each.subject, each.part, each.how, bool(each.breaking)) for each in deltas]


def test_an_event_type_that_is_sent_no_more() -> None:
    base, head = run(event(), event("order.paid", sent=20)), run(event())
    (delta,) = events(base, head)
    assert told([delta]) == [("event", "order.paid", "", "vanished", True)]
    assert delta.breaking == "billing would wait for it in vain"
    (back,) = events(head, base)
    assert (back.how, back.breaking, back.head) == ("appeared", "", "20 messages on exchange orders")


def test_a_short_run_proves_nothing() -> None:
    base, head = run(event(), event("order.paid", sent=20)), run(event(), seconds=0.5)
    (delta,) = events(base, head)
    assert (delta.how, delta.breaking, delta.certainty) == ("not seen", "", "guess")


def test_triggers_tell_more_than_time() -> None:
    """In a short run with as many requests as ever, what follows each of them is missed; and in a long one without them not."""
    paid = event("order.paid", sent=20)
    base = run(event(), paid, flows=(flow(step(paid)),))
    busy, idle = (run(event(), flows=(flow(triggered=n),), seconds=s) for n, s in ((20, 0.5), (1, 1_000.0)))
    assert [each.how for each in events(base, busy)] == ["vanished"]
    assert [each.how for each in events(base, idle)] == ["not seen"]


def test_the_same_name_elsewhere_is_told() -> None:
    (delta, back) = events(run(event()), run(event(channel="orders.v2")))
    assert (delta.how, delta.head) == ("vanished", "of this name only on exchange orders.v2")
    assert back.how == "appeared"


def test_a_service_that_listens_no_more() -> None:
    base = run(event(consumers=(party("billing", 20), party("mail", 20))))
    assert told(list(events(base, run(event())))) == [("subscriber", "order.placed", "mail", "vanished", True)]
    assert told(list(events(base, run(event(sent=1))))) == [("subscriber", "order.placed", "mail", "not seen", False)]


def test_a_handler_by_another_name_breaks_nothing() -> None:
    head = run(event(consumers=(party("billing", 20, "on_order"),)))
    assert told(list(events(run(event()), head))) == [
        ("subscriber", "order.placed", "billing: on_event", "vanished", False),
        ("subscriber", "order.placed", "billing: on_order", "appeared", False),
    ]


def test_another_publisher_breaks_nothing() -> None:
    head = run(event(producers=(party("api", 20),)))
    assert told(list(events(run(event()), head))) == [
        ("publisher", "order.placed", "web", "vanished", False),
        ("publisher", "order.placed", "api", "appeared", False),
    ]
