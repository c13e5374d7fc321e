"""Repetitions, settlements and errors, and what is not one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

QUEUE: dict[str, Any] = {"channel": "work", "channel_kind": "queue", "event_type": "job"}


@pytest.mark.parametrize(
    ("columns", "reason", "attempts"),
    [
        ({"redelivered": True}, "redelivered flag", 1),
        ({"headers": {"x-death": [{"count": 2}]}}, "x-death header", 1),
        ({"attempt": 3}, "attempt number above 1", 3),
        ({"headers": {"x-delivery-count": 4}}, "x-delivery-count header", 5),
    ],
)
def test_what_a_message_says_of_itself(
    made: MadeTrace, findings: Callable[[], Findings], columns: dict[str, Any], reason: str, attempts: int
) -> None:
    made.receive(**QUEUE, **columns)
    made.receive(**QUEUE)
    (retries,) = findings().reliability.retries
    assert (retries.name, retries.messages, retries.attempts, retries.reasons) == ("job", 1, attempts, ((reason, 1),))


def test_a_message_that_a_queue_hands_out_again(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    send = made.send(channel="jobs", channel_kind="exchange", event_type="job")
    for service in ("one", "two", "two"):
        made.receive(send, service=service, **QUEUE)
    made.receive(made.send(channel="jobs", channel_kind="exchange", event_type="job"), **QUEUE)
    (retries,) = findings().reliability.retries
    assert (retries.service, retries.messages, retries.attempts) == ("two", 1, 3)
    assert retries.reasons == (("received before", 2),)


def test_the_same_id_from_outside_is_the_same_message(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for message_id in ("a", "b", "a", None, None):
        made.receive(**QUEUE, message_id=message_id)
    (retries,) = findings().reliability.retries
    assert (retries.messages, retries.attempts) == (1, 2)


def test_a_copy_for_each_consumer_is_no_repetition(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    send = made.send(system="kafka", channel="orders", channel_kind="topic")
    for group in ("billing", "shipping"):
        made.receive(send, system="kafka", channel="orders", channel_kind="topic", consumer_group=group)
    news = made.send(system="redis", channel="news", channel_kind="pubsub")
    for server in ("h:1", "h:2"):
        made.receive(news, system="redis", channel="news", channel_kind="pubsub", server=server)
    for queue in ("a", "b"):
        made.receive(made.send(channel="x", channel_kind="exchange"), channel=queue, channel_kind="queue")
    emit = made.operation("send", "pyee", channel="E", channel_kind="bus", routing_key="e")
    for handler in ("/app/a.py:1 a", "/app/a.py:5 b"):
        process = made.operation("process", "pyee", channel="E", channel_kind="bus", handler=handler)
        made.row("links", send_id=emit, receive_id=process, method="call", certainty="exact")
    assert findings().reliability.retries == ()


def test_a_log_read_again_is_a_repetition(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for offset in (1, 2, 1):
        made.receive(
            system="kafka",
            channel="orders",
            channel_kind="topic",
            consumer_group="g",
            partition_id=0,
            log_offset=offset,
        )
    (retries,) = findings().reliability.retries
    assert (retries.messages, retries.attempts, retries.reasons) == (1, 2, (("received before", 1),))


def test_settlements_and_what_was_left_unsettled(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    receives = [made.receive(**QUEUE) for _ in range(5)]
    made.settle("ack", *receives[:3], channel="work", channel_kind="queue")
    made.settle("reject", receives[3])
    made.receive(channel="fire-and-forget", channel_kind="queue")
    found = findings()
    assert [(each.channel, each.outcome, each.settlements, each.receives) for each in found.reliability.outcomes] == [
        ("work", "ack", 1, 3),
        ("work", "none seen", 0, 1),
        ("work", "reject", 1, 1),
    ]
    assert sum("was not seen to settle" in each.sentence for each in found.observations) == 1


def test_refused_without_a_dead_letter_exchange(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for queue, arguments in (("lost", {}), ("kept", {"x-dead-letter-exchange": "dlx"})):
        made.operation(
            "declare", channel=queue, channel_kind="queue", settings={"action": "declare", "arguments": arguments}
        )
        made.settle("reject", made.receive(channel=queue, channel_kind="queue"))
    refused = [each.names for each in findings().observations if "refused" in each.sentence]
    assert refused == [("app", "lost")]


def test_errors_by_place_without_the_persons_in_them(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(2):
        made.receive(
            **QUEUE,
            handler="/app/w.py:5 work",
            outcome="raised",
            error_type="app.MailError",
            error_message="no mail for ada@example.org\nsecond line",
        )
    made.send(channel="x", channel_kind="exchange", outcome="returned")
    found = findings()
    assert [
        (each.place.name, each.kind, each.error_type, each.message, each.evidence.operations)
        for each in found.reliability.failures
    ] == [("main", "send", "", "", 1), ("work", "receive", "app.MailError", "no mail for <email>", 2)]
    assert [each.names for each in found.observations if "ended with" in each.sentence] == [
        ("app: work", "app.MailError")
    ]
