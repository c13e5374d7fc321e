"""When a settlement was, against the work, and what that promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

QUEUE: dict[str, Any] = {"channel": "work", "channel_kind": "queue", "service": "worker"}
OUT: dict[str, Any] = {"channel": "done", "channel_kind": "exchange", "service": "worker"}


def handled(made: MadeTrace, *, early: bool) -> int:
    receive = made.receive(made.send(channel="jobs", channel_kind="exchange", routing_key="job"), **QUEUE)
    if early:
        made.settle("ack", receive, service="worker")
    made.cause(receive, made.send(**OUT))
    if not early:
        made.settle("ack", receive, service="worker")
    return receive


def test_after_what_the_handler_sent(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(3):
        handled(made, early=False)
    (consumer,) = findings().guarantees.consumers
    assert (consumer.mode, consumer.moment, consumer.guarantee) == ("manual", "after the work", "at least once")
    assert (consumer.certainty, consumer.receives, consumer.settled) == ("exact", 3, 3)


def test_before_what_the_handler_sent(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(3):
        handled(made, early=True)
    (consumer,) = findings().guarantees.consumers
    assert (consumer.moment, consumer.guarantee, consumer.certainty) == ("before the work", "at most once", "exact")


def test_some_before_and_some_after(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    handled(made, early=True)
    handled(made, early=False)
    (consumer,) = findings().guarantees.consumers
    assert (consumer.moment, consumer.guarantee) == ("differs", "unknown")
    assert dict(consumer.moments) == {"before the work": 1, "after the work": 1}


def test_without_a_trace_of_the_work_nothing_is_claimed(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    receive = made.receive(**QUEUE)
    made.settle("ack", receive, service="worker")
    (consumer,) = findings().guarantees.consumers
    assert (consumer.moment, consumer.guarantee) == ("unknown", "unknown")


def test_the_broker_takes_it_for_done(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.operation("subscribe", **QUEUE, settings={"action": "consume", "no_ack": True})
    receive = made.receive(**QUEUE, handler="/app/w.py:1 handle")
    made.cause(
        receive, made.operation("process", **QUEUE, handler="/app/w.py:1 handle", outcome="raised", error_type="E")
    )
    (consumer,) = findings().guarantees.consumers
    assert (consumer.mode, consumer.guarantee, consumer.failed, consumer.lost) == ("on receipt", "at most once", 1, 1)


def test_offsets_in_a_transaction(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    topic: dict[str, Any] = {"system": "kafka", "channel": "t", "channel_kind": "topic", "consumer_group": "g"}
    receive = made.receive(**topic, partition_id=0, log_offset=1)
    made.settle("commit", receive, **topic, settings={"transactional_id": "x"})
    (consumer,) = findings().guarantees.consumers
    assert (consumer.mode, consumer.guarantee) == ("transactional", "transactional")


def test_what_nobody_keeps(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.receive(system="redis", channel="news", channel_kind="pubsub")
    made.receive(system="redis", channel="jobs", channel_kind="list", settings={"command": "BRPOP"})
    found = findings().guarantees.consumers
    assert {each.channel: (each.mode, each.guarantee) for each in found} == {
        "news": ("none", "at most once"),
        "jobs": ("on receipt", "at most once"),
    }


def test_a_handler_on_a_bus_is_no_delivery(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.receive(
        made.send(system="pyee", channel="b", channel_kind="bus"), system="pyee", channel="b", channel_kind="bus"
    )
    assert findings().guarantees.consumers == ()
