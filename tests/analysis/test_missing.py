"""What was passed over, is not known, was not settled, or was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

QUEUE: dict[str, Any] = {"channel": "work", "channel_kind": "queue", "settings": {"exchange": "jobs"}}
SENT: dict[str, Any] = {"channel": "jobs", "channel_kind": "exchange", "routing_key": "job"}
TOPIC: dict[str, Any] = {"system": "kafka", "channel": "t", "channel_kind": "topic", "partition_id": 0}


def test_one_that_was_passed_over(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    sends = [made.send(**SENT) for _ in range(4)]
    made.send(**SENT | {"routing_key": "other"})
    for place in (0, 2):
        made.receive(sends[place], **QUEUE)
    found = findings().guarantees
    (gap,) = found.missing
    assert (gap.kind, gap.messages, gap.evidence.examples, gap.evidence.certainty) == (
        "not received",
        1,
        (sends[1],),
        "likely",
    )
    assert found.lags[0].last == 1


def test_numbers_that_nothing_is_known_of(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(**TOPIC, log_offset=2)
    for offset in (1, 5):
        made.receive(**TOPIC, log_offset=offset, consumer_group="g")
    gaps = {each.kind: each.messages for each in findings().guarantees.missing}
    assert gaps == {"offsets": 2}


def test_one_that_nobody_settled(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.settle("ack", made.receive(made.send(**SENT), **QUEUE))
    left = made.receive(made.send(**SENT), **QUEUE)
    (gap,) = findings().guarantees.missing
    assert (gap.kind, gap.messages, gap.evidence.examples) == ("unsettled", 1, (left,))


def test_refusals_at_the_send(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(**SENT, outcome="returned")
    made.send(**SENT, outcome="raised", error_type="E")
    made.receive(made.send(**SENT, outcome="raised", error_type="E"), **QUEUE)
    gaps = [(each.kind, each.messages, each.evidence.certainty) for each in findings().guarantees.missing]
    assert gaps == [("refused", 1, "likely"), ("refused", 1, "exact")]


def test_an_exchange_that_routes_by_headers_promises_nothing(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.operation(
        "declare", channel="jobs", channel_kind="exchange", settings={"action": "declare", "exchange_type": "headers"}
    )
    sends = [made.send(**SENT) for _ in range(3)]
    for place in (0, 2):
        made.receive(sends[place], **QUEUE)
    assert findings().guarantees.missing == ()
