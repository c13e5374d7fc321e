"""What producers are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

EXCHANGE: dict[str, Any] = {"channel": "jobs", "channel_kind": "exchange"}


def test_confirmed_and_not(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for outcome in ("ack", "nack", "returned", "raised", "unknown"):
        made.send(**EXCHANGE, outcome=outcome)
    (found,) = findings().guarantees.producers
    assert found.confirms == "always"
    assert (found.confirmed, found.refused, found.returned, found.failed, found.unanswered) == (1, 1, 1, 1, 1)


def test_without_confirms(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(**EXCHANGE, settings={"confirms": False}, message_id="1")
    made.send(**EXCHANGE, settings={"confirms": False}, message_id="1")
    (found,) = findings().guarantees.producers
    assert (found.confirms, found.confirmed, found.repeated, found.settings) == ("never", 0, 1, {"confirms": False})


def test_what_cannot_be_told_is_unknown(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(system="kafka", channel="t", channel_kind="topic")
    (found,) = findings().guarantees.producers
    assert found.confirms == "unknown"
