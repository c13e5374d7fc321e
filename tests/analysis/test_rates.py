"""How often: counts, rates with intervals, peaks, bursts, schedules, hours, failures."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings, Rate
    from tests.analysis.made_trace import MadeTrace

SECOND = 1_000_000_000


def only(findings: Findings, scope: Any = "event", **wanted: Any) -> Rate:
    (rate,) = [
        each
        for each in findings.frequencies.of(scope)
        if all(getattr(each, name) == value for name, value in wanted.items())
    ]
    return rate


def send(made: MadeTrace, after_s: float, **columns: Any) -> int:
    return made.send(after_ns=round(after_s * SECOND), **({"channel": "ticks", "channel_kind": "topic"} | columns))


def test_a_steady_rate_has_its_poisson_interval(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    chance = random.Random(3)
    for _ in range(401):
        send(made, chance.expovariate(2))
    found = findings()
    rate = only(found)
    assert rate.per_second is not None
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < 2 < rate.high
    assert rate.interval == "poisson"
    assert rate.fano == pytest.approx(1, abs=0.6)
    assert rate.schedules == ()
    assert rate.peak_per_second is not None
    assert rate.peak_per_second > rate.per_second
    assert found.frequencies.note == ""


def test_bursts_are_told_and_widen_the_interval(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    chance = random.Random(3)
    for _ in range(12):
        send(made, chance.uniform(5, 40))
        for _ in range(60):
            send(made, 0.02)
    rate = only(findings())
    assert rate.fano is not None
    assert rate.low is not None
    assert rate.high is not None
    assert rate.fano > 10
    assert rate.interval == "overdispersed"
    assert rate.high / rate.low > 1.5
    assert rate.peak_per_second == pytest.approx(50, abs=11)


def test_a_schedule_is_found_with_its_place(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    chance = random.Random(3)
    for number in range(20):
        send(made, 30 + chance.gauss(0, 0.5), site="/app/beat.py:3 tick", event_type="tick")
        if number % 3 == 0:
            send(made, 0.5, event_type="other")
    found = findings()
    (schedule,) = only(found, name="tick").schedules
    assert schedule.period_s == pytest.approx(30.2, abs=0.3)
    assert (schedule.place.name, schedule.place.site, schedule.ticks, schedule.missed) == ("tick", "beat.py:3", 20, 0)
    assert schedule.jitter_s < 1.5
    assert schedule.certainty != "exact"


def test_what_follows_from_something_has_no_schedule_of_its_own(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for _ in range(20):
        tick = send(made, 30, event_type="tick")
        made.cause(tick, send(made, 0.1, event_type="echo"))
    found = findings()
    assert only(found, name="tick").schedules
    assert only(found, name="echo").schedules == ()


def test_a_short_trace_says_so(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(11):
        send(made, 1)
    found = findings()
    assert found.frequencies.seconds == 10
    assert "10 s" in found.frequencies.note


def test_a_trace_without_time_has_counts_and_no_rates(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    send(made, 1)
    rate = only(findings())
    assert (rate.messages, rate.per_second, rate.low, rate.peak_per_second, rate.fano) == (1, None, None, None, None)


def test_hours_of_the_day_once_there_is_a_day(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(60):
        send(made, 1_800)
    rate = only(findings())
    assert rate.hours is not None
    assert sum(rate.hours) == 60
    assert set(rate.hours) <= {2, 3, 4}


def test_services_channels_and_edges(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(20):
        sent = send(made, 1, service="web", body={"n": 1}, event_type="a" if number % 2 else "b")
        made.receive(sent, service="mail", channel="ticks", channel_kind="topic")
    made.operation("receive", "redis", service="mail", channel="in", channel_kind="list")
    found = findings()
    assert only(found, "channel", name="ticks").messages == 20
    assert only(found, "channel", name="in").side == "receive"
    assert only(found, "service", name="web", side="send").messages == 20
    assert only(found, "service", name="mail", side="receive").messages == 21
    edge = only(found, "edge", source="web", target="mail", name="a")
    assert (edge.messages, edge.side) == (10, "receive")
    assert only(found, "edge", source=None).name == "in"


def test_failures_at_either_end_are_counted(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    queue: dict[str, Any] = {"channel": "work", "channel_kind": "queue"}
    send(made, 1, outcome="raised", error_type="Refused")
    for outcome in ("ack", "reject"):
        taken = made.receive(send(made, 1), service="worker", **queue)
        made.settle(outcome, taken, service="worker", **queue)
    handled = made.receive(send(made, 1), service="worker", **queue)
    made.cause(handled, made.operation("process", service="worker", outcome="raised", error_type="ValueError", **queue))
    found = findings()
    assert only(found).failed == 1
    assert only(found, "service", name="worker").failed == 2


def test_what_waits_is_told_and_whether_it_grows(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    waiting = []
    for number in range(200):
        waiting.append(send(made, 0.5))
        if number % 4 == 0:
            made.receive(waiting.pop(0), service="slow", channel="ticks", channel_kind="topic", consumer_group="g")
        made.receive(waiting[-1] if waiting else None, service="fast", channel="ticks", channel_kind="topic")
    slow, fast = sorted(findings().frequencies.backlogs, key=lambda each: each.services, reverse=True)
    assert (slow.services, slow.group, slow.sent, slow.received, slow.last, slow.behind) == (
        ("slow",), "g", 200, 50, 150, True,
    )  # fmt: skip
    assert slow.largest == 150
    assert len(slow.points) == 60
    assert (fast.behind, fast.last <= 1) == (False, True)


def test_what_is_never_taken_from_a_broadcast_does_not_wait(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(50):
        sent = made.send(system="redis", channel="news", channel_kind="pubsub")
        if number % 2:
            made.receive(sent, system="redis", channel="news", channel_kind="pubsub")
    assert findings().frequencies.backlogs == ()
