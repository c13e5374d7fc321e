"""What the trace explains and what it does not, with the likely reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.analysis.made_trace import START_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def test_links_and_causes_by_certainty(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    first, second = (made.send(channel="x", channel_kind="topic") for _ in range(2))
    made.receive(first, channel="x", channel_kind="topic")
    receive = made.receive(first, "guess", channel="x", channel_kind="topic")
    made.row("links", send_id=second, receive_id=receive, method="test", certainty="likely")
    made.cause(receive, made.send(channel="x", channel_kind="topic"), "likely")
    found = findings().completeness
    assert found.links == (("exact", 1), ("likely", 1))
    assert found.causes == (("likely", 1),)
    assert found.uncaused == 2


@pytest.mark.parametrize(
    ("columns", "consumed", "reason"),
    [
        ({"outcome": "raised"}, True, "the send failed"),
        ({"outcome": "returned"}, True, "the broker gave it back: nothing was bound that would take it"),
        ({"outcome": None}, True, "the send was not seen to end"),
        ({"channel_kind": "bus"}, False, "no handler was registered for it"),
        ({}, True, "a consumer was traced, but this was not found among what it received"),
        ({}, False, "no consumer of this channel was traced"),
    ],
)
def test_why_a_send_has_no_receive(
    made: MadeTrace, findings: Callable[[], Findings], columns: dict[str, str], consumed: bool, reason: str
) -> None:
    if consumed:
        made.receive(made.send(channel="x", channel_kind="topic"), channel="x", channel_kind="topic")
    made.send(**{"channel": "x", "channel_kind": "topic", **columns})
    (unlinked,) = findings().completeness.unlinked
    assert (unlinked.side, unlinked.channel, unlinked.reason) == ("send", "x", reason)
    assert (unlinked.evidence.operations, unlinked.evidence.certainty) == (1, "likely")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (True, "a producer was traced, but this was not found among what it sent"),
        (False, "its producer is outside of the trace"),
    ],
)
def test_why_a_receive_has_no_send(made: MadeTrace, findings: Callable[[], Findings], sent: bool, reason: str) -> None:
    if sent:
        made.receive(made.send(channel="x", channel_kind="topic"), channel="x", channel_kind="topic")
    made.receive(channel="x", channel_kind="topic")
    (unlinked,) = findings().completeness.unlinked
    assert (unlinked.side, unlinked.channel, unlinked.reason) == ("receive", "x", reason)


def test_losses_as_the_trace_has_them(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    number = made.process("web")
    for lost in (2, 3):
        made.row(
            "msgtrace_store.recorded_losses",
            process_number=number,
            reason="undecodable",
            detail="a | b",
            lost=lost,
            seen_at="2026-01-01",
        )
    made.send(service="web", channel="x", channel_kind="topic", truncated=True, body_size=99_999)
    losses = [(each.service, each.reason, each.lost) for each in findings().completeness.losses]
    assert losses == [("web", "truncated", 1), ("web", "undecodable", 5)]


def test_a_dropped_record_may_be_the_reason(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.operation("send", "pyee", channel="E", channel_kind="bus", routing_key="e")
    made.row(
        "msgtrace_store.recorded_losses",
        process_number=made.process("app"),
        reason="dropped",
        detail="",
        lost=1,
        seen_at="2026-01-01",
    )
    found = findings()
    (unlinked,) = found.completeness.unlinked
    assert unlinked.reason == "no handler was registered for it, or the record of it was dropped"
    assert found.observations == ()


def test_extent_and_unfinished_operations(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="x", channel_kind="topic", outcome=None)
    made.operation("connect")
    found = findings()
    assert found.completeness.unfinished == 1
    assert found.recording.kinds == (("connect", 1), ("send", 1))
    assert (found.recording.first_seen_ns, found.recording.last_seen_ns) == (START_NS + 1_000_000, START_NS + 2_000_000)
    assert (found.recording.recording, found.recording.note) == (False, "")
