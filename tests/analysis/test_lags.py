"""What waits at its most and at the end, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

LIST: dict[str, Any] = {"system": "redis", "channel": "jobs", "channel_kind": "list"}


def test_what_waits(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    sends = [made.send(**LIST) for _ in range(5)]
    for send in sends[:3]:
        made.receive(send, **LIST)
    (lag,) = findings().guarantees.lags
    assert (lag.messages, lag.largest, lag.last) == (5, 5, 2)
    assert (lag.p50_ms, lag.longest_ms, lag.certainty) == (5, 5, "exact")


def test_what_a_group_never_had_before_its_first_is_not_its_own(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    topic: dict[str, Any] = {"system": "kafka", "channel": "t", "channel_kind": "topic", "partition_id": 0}
    sends = [made.send(**topic, log_offset=offset) for offset in range(4)]
    made.receive(sends[2], **topic, log_offset=2, consumer_group="late")
    (lag,) = findings().guarantees.lags
    assert (lag.messages, lag.last) == (2, 1)


def test_between_machines_times_are_likely(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.process("far", host="elsewhere")
    made.receive(made.send(**LIST), service="far", **LIST)
    (lag,) = findings().guarantees.lags
    assert lag.certainty == "likely"


def test_a_partition_that_a_group_had_nothing_of_yet(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    topic: dict[str, Any] = {"system": "kafka", "channel": "t", "channel_kind": "topic"}
    made.send(**topic, partition_id=1, log_offset=0)
    first = made.send(**topic, partition_id=0, log_offset=0)
    for name, reset, last in (("early", "earliest", 2), ("late", "latest", 1)):
        made.row(
            "msgtrace_store.connections", connection_id=9_000_001 + last, facts=f'{{"auto_offset_reset": "{reset}"}}'
        )
        made.receive(first, **topic, partition_id=0, log_offset=0, consumer_group=name, connection_id=9_000_001 + last)
    made.send(**topic, partition_id=1, log_offset=1)
    assert {lag.group: lag.last for lag in findings().guarantees.lags} == {"early": 2, "late": 1}
