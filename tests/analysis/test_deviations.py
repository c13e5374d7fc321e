"""Publishers and consumers that differ from the others of the same event type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.analysis.conversing import handle, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def told(findings: Callable[[], Findings]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    found = findings().conversations.deviations
    return [(each.side, each.place.service, each.sentence.split(",")[0], each.names) for each in found]


def test_a_header_a_field_and_a_property_that_all_others_set(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for service in ("a", "b", "c"):
        for _ in range(3):
            whole = service != "c"
            publish(
                made, "order.placed", service=service, message_id="m" if whole else None,
                headers={"tenant": "x"} | ({"version": 1} if whole else {}),
                body={"id": 1} | ({"total": 2} if whole else {}),
            )  # fmt: skip
    assert told(findings) == [
        ("publisher", "c", "It left out the field {0}", ("total",)),
        ("publisher", "c", "It left out the header {0}", ("version",)),
        ("publisher", "c", "It left out {0}", ("a message id",)),
    ]


def test_what_one_of_the_others_leaves_out_too_or_few_messages_prove_nothing(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for number in range(6):
        publish(made, "a", service="x", headers={"h": 1} if number else {"g": 1}, body={"id": 1})
        publish(made, "a", service="y", headers={"g": 1}, body={"id": 1})
    publish(made, "b", service="x", body={"id": 1})
    publish(made, "b", service="y", body={"n": 1})
    assert told(findings) == []


def test_a_consumer_that_never_settles_where_all_others_do(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(3):
        send = publish(made, "order.placed")
        for service in ("mail", "desk", "bill"):
            receive = handle(made, send, service)
            if service != "desk":
                made.settle("ack", receive, service=service)
    assert told(findings) == [("consumer", "desk", "It never settled one; all others do.", ())]
