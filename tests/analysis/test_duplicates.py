"""What was delivered again, after what, and with which effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

QUEUE: dict[str, Any] = {"channel": "work", "channel_kind": "queue"}
SENT: dict[str, Any] = {"channel": "jobs", "channel_kind": "exchange"}


def test_after_silence_with_the_same_effect_twice(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    send = made.send(**SENT)
    for service in ("first", "second"):
        receive = made.receive(send, service=service, **QUEUE, redelivered=service == "second")
        made.cause(receive, made.send(channel="done", channel_kind="exchange", event_type="done", service=service))
    made.settle("ack", receive, service="second")
    (found,) = findings().guarantees.duplicates
    assert (found.messages, found.deliveries, found.after_silence, found.flagged) == (1, 1, 1, 1)
    assert (found.effects, found.with_effects, found.repeats, found.services) == ("repeated", 1, 1, ("first", "second"))
    assert found.evidence.examples == (receive,)


def test_after_success_without_a_second_effect(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    send = made.send(**SENT)
    receive = made.receive(send, **QUEUE)
    made.cause(receive, made.send(channel="done", channel_kind="exchange"))
    made.settle("ack", receive)
    made.settle("ack", made.receive(send, **QUEUE))
    (found,) = findings().guarantees.duplicates
    assert (found.after_success, found.effects, found.with_effects, found.repeats) == (1, "not repeated", 1, 0)


def test_after_refusal_nothing_is_known_of_effects(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    send = made.send(**SENT)
    made.settle("requeue", made.receive(send, **QUEUE))
    receive = made.receive(send, **QUEUE)
    made.cause(receive, made.send(channel="done", channel_kind="exchange"))
    (found,) = findings().guarantees.duplicates
    assert (found.after_refusal, found.effects, found.with_effects) == (1, "unknown", 0)


def test_a_commit_of_another_member_is_not_the_work_of_the_first(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    topic: dict[str, Any] = {"system": "kafka", "channel": "t", "channel_kind": "topic"}
    group = topic | {"consumer_group": "g", "partition_id": 0, "log_offset": 7}
    send = made.send(**topic, partition_id=0, log_offset=7)
    receives = [made.receive(send, service=service, **group) for service in ("dead", "alive")]
    made.settle("commit", *receives, service="alive", **group)
    (found,) = findings().guarantees.duplicates
    assert (found.after_silence, found.after_success) == (1, 0)


def test_a_copy_for_each_group_is_no_duplicate(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    topic: dict[str, Any] = {
        "system": "kafka",
        "channel": "t",
        "channel_kind": "topic",
        "partition_id": 0,
        "log_offset": 7,
    }
    send = made.send(**topic)
    for group in ("a", "b"):
        made.receive(send, **topic, consumer_group=group)
    assert findings().guarantees.duplicates == ()
