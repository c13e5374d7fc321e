"""How much a consumer takes at a time, against its limit, and what ended for want of time or room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings, Load
    from tests.analysis.made_trace import MadeTrace

MS = 1_000_000
QUEUE: dict[str, Any] = {"channel": "work", "channel_kind": "queue", "connection_id": 7, "consumer_tag": "c"}


def qos(made: MadeTrace, many: int) -> None:
    made.operation("declare", settings={"action": "qos", "prefetch_count": many, "global": False}, connection_id=7)


def sent(made: MadeTrace) -> int:
    return made.send(channel="", channel_kind="exchange", routing_key="work")


def received(made: MadeTrace, after_ns: int = MS, **columns: Any) -> int:
    return made.receive(sent(made), after_ns=after_ns, settings={"exchange": ""}, **{**QUEUE, **columns})


def handled(made: MadeTrace, receive: int, took_ns: int, **columns: Any) -> None:
    """A handler that began with the receive."""
    process = made.operation(
        "process", channel="work", handler="/app/w.py:1 on_job", after_ns=0, duration_ns=took_ns, **columns
    )
    made.cause(receive, process)


def load(findings: Callable[[], Findings]) -> Load:
    (only,) = findings().guarantees.loads
    return only


@pytest.mark.parametrize("limit", [1, 3])
def test_in_flight_against_the_limit(made: MadeTrace, findings: Callable[[], Findings], limit: int) -> None:
    qos(made, 0)
    qos(made, limit)
    held: list[int] = []
    for _ in range(30):
        held.append(received(made))
        if len(held) == limit:
            made.settle("ack", held.pop(0), after_ns=20 * MS, **QUEUE)
    found = load(findings)
    assert (found.limit, found.limit_name, found.in_flight) == (limit, "prefetch_count", limit)
    assert found.at_limit is not None
    assert 0.9 <= found.at_limit < 1
    assert found.saturated is True
    assert found.at_once is None
    assert found.handled == 0


def test_a_consumer_that_waits_is_not_saturated(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    qos(made, 1)
    for _ in range(30):
        made.settle("ack", received(made, after_ns=20 * MS), after_ns=MS, **QUEUE)
    found = load(findings)
    assert (found.in_flight, found.saturated) == (1, False)
    assert found.at_limit is not None
    assert found.at_limit < 0.1


def test_no_limit_and_limits_that_differ(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    qos(made, 0)
    for _ in range(20):
        received(made)
    made.settle("ack", received(made), **QUEUE)
    found = load(findings)
    assert (found.limit, found.in_flight, found.at_limit, found.saturated) == (0, 21, None, None)


def test_channels_of_one_connection_that_differ(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    qos(made, 5)
    qos(made, 9)
    made.settle("ack", received(made), **QUEUE)
    found = load(findings)
    assert (found.limit, found.at_limit, found.saturated) == (None, None, None)
    assert found.reason == "1 receives are too few to tell"


def test_handlers_at_once_and_their_times(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(20):
        receive = received(made, after_ns=10 * MS)
        errors = {"error_type": "asyncio.TimeoutError", "outcome": "raised"} if number == 3 else {}
        handled(made, receive, 25 * MS, **errors)
    found = load(findings)
    # One begins every 11 ms and takes 25 ms.
    assert (found.at_once, found.handled, found.timed_out) == (3, 20, 1)
    assert (found.p50_ms, found.p95_ms, found.longest_ms) == (25, 25, 25)
    assert found.busy == 1


def test_one_handler_after_the_other(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(25):
        handled(made, received(made, after_ns=99 * MS), 25 * MS)
    found = load(findings)
    assert (found.at_once, found.saturated) == (1, False)
    assert found.busy == pytest.approx(0.25, abs=0.02)
    assert "one at a time" in found.reason


def test_what_one_fetch_of_a_log_brings(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    topic: dict[str, Any] = {"system": "kafka", "channel": "t", "channel_kind": "topic", "partition_id": 0}
    facts = '{"max_poll_records": 500, "max_poll_interval_ms": 300000}'
    made.row("msgtrace_store.connections", connection_id=9_000_001, facts=facts)
    sends = [made.send(**topic, log_offset=offset) for offset in range(6)]
    for number, send in enumerate(sends):
        made.receive(send, **topic, log_offset=number, consumer_group="g", connection_id=9_000_001,
                     batch_id=1 if number < 4 else 2, after_ns=50 * MS if number == 4 else MS)  # fmt: skip
    found = load(findings)
    assert (found.limit, found.limit_name, found.in_flight) == (500, "max_poll_records", 4)
    assert found.gap_limit_ms == 300_000
    assert found.longest_gap_ms is not None
    assert found.longest_gap_ms >= 50
    assert found.saturated is None


def test_sockets_have_no_limits_to_tell_of(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    socket: dict[str, Any] = {"system": "websocket", "channel": "/feed", "channel_kind": "connection"}
    made.receive(made.send(**socket), **socket)
    assert findings().guarantees.loads == ()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("aio_pika.exceptions.DeliveryError", None),
        ("asyncio.TimeoutError", "time ran out"),
        ("kafka.errors.KafkaTimeoutError", "time ran out"),
        ("redis.exceptions.TimeoutError", "time ran out"),
        ("RequestTimedOutError", "time ran out"),
        ("RateLimitExceeded", "no room"),
        ("redis.exceptions.OutOfMemoryError", "no room"),
        ("kafka.errors.ThrottlingQuotaExceededError", "no room"),
        ("ValueError", None),
    ],
)
def test_what_ended_for_want_of_time_or_room(
    made: MadeTrace, findings: Callable[[], Findings], error: str, kind: str | None
) -> None:
    for _ in range(2):
        made.send(channel="jobs", channel_kind="exchange", outcome="raised", error_type=error)
    found = [
        (each.kind, each.operation, each.channel, each.evidence.operations) for each in findings().guarantees.pressures
    ]
    assert found == ([] if kind is None else [(kind, "send", "jobs", 2)])
