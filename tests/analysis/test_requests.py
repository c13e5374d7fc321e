"""Requests and replies: which answer is whose, how long it took, and who waited in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.analysis.conversing import MS, handle, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings, Request
    from tests.analysis.made_trace import MadeTrace

QUEUE = "amq.gen-Xa1b2c3d4e5f6g7h8i9j0k"


def ask(made: MadeTrace, correlation: str | None, **columns: Any) -> int:
    values: dict[str, Any] = {
        "channel": "prices",
        "event_type": "price.asked",
        "correlation_id": correlation,
        "reply_to": QUEUE,
        **columns,
    }
    return made.send(service="web", channel_kind="exchange", site="/app/web.py:3 ask", **values)


def answer(made: MadeTrace, receive: int, correlation: str | None, *, received: bool = True, after_ns: int = MS) -> int:
    reply = publish(
        made, "price.told", receive, service="prices", channel="", routing_key=QUEUE, correlation_id=correlation,
        after_ns=after_ns,
    )  # fmt: skip
    if received:
        made.receive(reply, service="web", channel=QUEUE, channel_kind="queue", correlation_id=correlation)
    return reply


def of(findings: Callable[[], Findings]) -> Request:
    (found,) = findings().conversations.requests
    return found


def test_address_and_correlation_id_make_an_exact_pair(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(4):
        receive = handle(made, ask(made, f"c{number}"), "prices")
        answer(made, receive, f"c{number}", after_ns=10 * MS)
    found = of(findings)
    assert (found.request_name, found.reply_name, found.requester.name, found.via) == (
        "price.asked", "price.told", "ask", "temporary queue",
    )  # fmt: skip
    assert found.replier is not None
    assert found.replier.service == "prices"
    assert (found.requests, found.answered, found.lost, found.unanswered, found.pending) == (4, 4, 0, 0, 0)
    assert (found.evidence.certainty, found.matched_by) == ("exact", "reply address and correlation id")
    assert found.round_trip is not None
    assert found.round_trip.p50_ms == 12.0


def test_without_a_correlation_id_the_cause_tells(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    answer(made, handle(made, ask(made, None), "prices"), None)
    answer(made, handle(made, ask(made, None), "prices", "likely"), None)
    found = of(findings)
    assert (found.requests, found.answered, found.matched_by) == (2, 2, "reply address and cause")
    assert found.evidence.certainty == "likely"


def test_the_same_id_twice_is_not_exact_and_no_answer_is_counted_for_both(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    first = handle(made, ask(made, "same"), "prices")
    ask(made, "same")
    answer(made, first, "same")
    found = of(findings)
    assert (found.requests, found.answered, found.evidence.certainty) == (2, 1, "likely")


def test_waiting_in_vain_is_told_from_waiting_still(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    ask(made, "never")
    answer(made, handle(made, ask(made, "c", after_ns=9_000 * MS), "prices"), "c")
    answer(made, handle(made, ask(made, "lost"), "prices"), "lost", received=False)
    ask(made, "soon")
    found = of(findings)
    assert (found.requests, found.answered, found.lost, found.unanswered, found.pending) == (4, 1, 1, 1, 1)


@pytest.mark.parametrize(("took_ms", "late"), [(20, 0), (80, 1)])
def test_an_answer_after_the_requests_own_time_is_late(
    made: MadeTrace, findings: Callable[[], Findings], took_ms: int, late: int
) -> None:
    receive = handle(made, ask(made, "c", expiration="50"), "prices")
    answer(made, receive, "c", after_ns=took_ms * MS)
    found = of(findings)
    assert (found.timeout_ms, found.late) == (50.0, late)


def test_a_reply_topic_in_a_header(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    headers = {"kafka_replyTopic": "answers", "kafka_correlationId": "c1"}
    asked = publish(made, "asked", system="kafka", channel="questions", channel_kind="topic", headers=headers)
    receive = handle(made, asked, "prices", system="kafka", channel="questions", channel_kind="topic", headers=headers)
    told = publish(
        made, "told", receive, system="kafka", service="prices", channel="answers", channel_kind="topic",
        headers={"kafka_correlationId": "c1"},
    )  # fmt: skip
    handle(made, told, "web", system="kafka", channel="answers", channel_kind="topic")
    found = of(findings)
    assert (found.via, found.reply_name, found.answered, found.evidence.certainty) == (
        "reply topic",
        "told",
        1,
        "exact",
    )


def test_messages_without_a_reply_address_are_no_requests(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    publish(made, "b", handle(made, publish(made, "a", correlation_id="x"), "mail"), service="mail", correlation_id="x")
    assert findings().conversations.requests == ()
