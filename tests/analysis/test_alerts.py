"""Alert rules: their thresholds are what was seen, Prometheus accepts them, and they fire when they should and only then."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.findings import Alerts, Place, Schedule
from msgtrace_analysis.passes import exporters
from msgtrace_analysis.passes.exporters import Spot, quoted, waiting
from msgtrace_analysis.passes.heartbeats import silence_s
from msgtrace_analysis.passes.usual import alert, round_up, unwatched
from msgtrace_analysis.renderers import guide
from msgtrace_analysis.renderers.alert_rules import MARK, rules, without
from tests.analysis.hostile import NAMES
from tests.analysis.promtool import accepted, fires
from tests.analysis.test_commands import msgtrace

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from msgtrace_analysis.findings import Alert, Findings
    from tests.analysis.made_trace import MadeTrace

SECOND = 1_000_000_000
WORK: dict[str, Any] = {"channel": "work", "channel_kind": "queue", "service": "worker"}


def by_queue(made: MadeTrace, count: int = 120, failed: int = 3, dead: int = 2) -> None:
    """Messages through an exchange to a queue whose dead letters go to another one; two wait at a time."""
    made.operation("declare", channel="work", channel_kind="queue", service="worker",
                   settings={"action": "declare", "durable": True, "arguments": {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}})  # fmt: skip
    made.operation("declare", channel="dead", channel_kind="queue", service="worker", settings={"action": "declare"})
    waiting: list[int] = []
    for number in range(count):
        waiting.append(made.send(channel="", channel_kind="exchange", routing_key="work", service="web",
                                 message_id=f"m{number}", after_ns=SECOND))  # fmt: skip
        if len(waiting) == 2:
            receive = made.receive(waiting.pop(0), **WORK, message_id=f"m{number - 1}", handler="/app/w.py:1 on_job", settings={"exchange": ""})  # fmt: skip
            made.settle("reject" if number <= failed else "ack", receive, **WORK)


def found(findings: Callable[[], Findings], watches: str) -> list[Alert]:
    return [each for each in findings().alerts.rules if each.watches == watches]


def written(alerts: Alerts, folder: Path) -> Path:
    path = folder / "alerts.yaml"
    path.write_text(rules(alerts))
    return path


def test_what_waits(made: MadeTrace, findings: Callable[[], Findings], tmp_path: Path) -> None:
    by_queue(made)
    alerts = findings().alerts
    (depth,) = [each for each in alerts.rules if each.watches == "queue depth"]
    assert depth.expression == 'sum(rabbitmq_detailed_queue_messages_ready{queue="work"}) > 10'
    assert (depth.observed, depth.threshold, depth.certainty, depth.services) == (2, 10, "guess", ("worker",))
    path = written(alerts, tmp_path)
    accepted(path)
    series = 'rabbitmq_detailed_queue_messages_ready{queue="work"}'
    (fired,) = fires(path, "QueueDepth", {series: "11x30"})
    assert (fired["channel"], fired["messaging_system"]) == ("work", "rabbitmq")
    assert fires(path, "QueueDepth", {series: "10x30"}) == []
    assert fires(path, "QueueDepth", {series.replace("work", "other"): "11x30"}) == []
    assert fires(path, "QueueDepth", {series: "0x28 11x2"}) == []  # not for long enough
    come = 'rabbitmq_detailed_queue_messages_published_total{queue="work",channel="c"}'
    assert (
        fires(path, "MessagesWaitTooLong", {series: "60x30", come: "0+60x30"}) != []
    )  # a message a second: they wait 60 s
    assert fires(path, "MessagesWaitTooLong", {series: "20x30", come: "0+60x30"}) == []
    assert fires(path, "MessagesWaitTooLong", {series: "3x30", come: "9x30"}) != []  # nobody takes them any more


def test_what_fails(made: MadeTrace, findings: Callable[[], Findings], tmp_path: Path) -> None:
    by_queue(made)
    alerts = findings().alerts
    (rate,) = [each for each in alerts.rules if each.watches == "error rate"]
    assert rate.observed == pytest.approx(3 / 119, abs=1e-3)
    assert rate.threshold == pytest.approx(0.074)  # 8.767 / 119: Garwood's upper bound of three
    assert rate.certainty == "likely"
    path = written(alerts, tmp_path)
    name = (
        'messaging_process_duration_seconds_count{messaging_system="rabbitmq",messaging_destination_name="ex:key:work"'
    )
    good, bad = f"{name}}}", f'{name},error_type="ValueError"}}'
    assert fires(path, "HandlingFails", {good: "0+90x30", bad: "0+10x30"}) != []
    assert fires(path, "HandlingFails", {good: "0+95x30", bad: "0+5x30"}) == []


def test_dead_letters(made: MadeTrace, findings: Callable[[], Findings], tmp_path: Path) -> None:
    by_queue(made)
    alerts = findings().alerts
    (dead,) = [each for each in alerts.rules if each.watches == "dead letters"]
    assert (dead.channel, dead.names) == ("dead", ("dead", "work"))
    path = written(alerts, tmp_path)
    series = 'rabbitmq_detailed_queue_messages{queue="dead"}'
    many = math.ceil(dead.threshold) + 1
    assert fires(path, "DeadLetters", {series: f"5x28 {5 + many}x3"}) != []
    assert fires(path, "DeadLetters", {series: "500x30"}) == []  # they have been there for long


def test_a_schedule_that_is_not_kept(made: MadeTrace, findings: Callable[[], Findings], tmp_path: Path) -> None:
    for _ in range(40):
        made.send(system="kafka", channel="ticks", channel_kind="topic", event_type="tick", after_ns=60 * SECOND)
    alerts = findings().alerts
    (beat,) = [each for each in alerts.rules if each.watches == "heartbeat"]
    assert (beat.subject, beat.observed, beat.threshold) == ("tick", 60, 300)
    assert (
        beat.expression == '(sum(increase(kafka_topic_partition_current_offset{topic="ticks"}[5m])) or vector(0)) == 0'
    )
    path = written(alerts, tmp_path)
    series = 'kafka_topic_partition_current_offset{topic="ticks",partition="0"}'
    assert fires(path, "ScheduleMissed", {series: "0+1x30"}) == []
    assert [each["event_type"] for each in fires(path, "ScheduleMissed", {series: "0+1x20 20x10"})] == ["tick"]
    assert len(fires(path, "ScheduleMissed", {series: "0+1x20"})) == 1  # there is nothing to be read any more
    assert len(fires(path, "MetricMissing", {})) == 1


def test_other_messages_hide_a_silence(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    topic: dict[str, Any] = {"system": "kafka", "channel": "ticks", "channel_kind": "topic"}
    for _ in range(40):
        made.send(**topic, event_type="tick", after_ns=60 * SECOND)
    made.send(**topic, event_type="other")
    alerts = findings().alerts
    assert [each for each in alerts.rules if each.watches == "heartbeat"] == []
    assert "heartbeat of tick of kafka topic ticks: 1 messages of other types went to ticks as well: no counter tells them from tick" in [
        without(each) for each in alerts.unwatched
    ]  # fmt: skip


def test_no_baseline_no_rule(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    by_queue(made, count=8, failed=0)
    alerts = findings().alerts
    (declared,) = [each for each in alerts.rules if each.watches != "heartbeat"]
    assert (declared.threshold, declared.observed, declared.certainty) == (0, None, "guess")
    said = {each.watches: without(each) for each in alerts.unwatched}
    assert said["queue depth"].endswith("8 messages for work are too few to call anything usual (fewer than 20)")
    assert said["error rate"].endswith("are too few to call any share of failures usual (fewer than 20)")


def test_consumers_that_fall_behind_show_nothing_usual(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    kept: dict[str, Any] = {"system": "redis", "channel": "jobs", "channel_kind": "list"}
    sends = [made.send(**kept) for _ in range(100)]
    for send in sends[:40]:
        made.receive(send, **kept)
    alerts = findings().alerts
    assert not [each for each in alerts.rules if each.watches == "queue depth"]
    assert "heartbeat: no event type was seen to be sent on a schedule" in map(without, alerts.unwatched)
    assert any("60 of 100 messages still waited for jobs at the end" in without(each) for each in alerts.unwatched)


def test_nothing_recorded_is_nothing_to_watch(findings: Callable[[], Findings], tmp_path: Path) -> None:
    alerts = findings().alerts
    assert (alerts.rules, alerts.unwatched, alerts.note) == ((), (), "")
    assert accepted(written(alerts, tmp_path)) == 0


def every_rule(name: str) -> list[Alert]:
    """A rule of each query that there is, on channels of one name."""
    spots = [
        Spot(system, kind, name, group, host, many)
        for group, host, many in (("", "", False), (name, name, True))
        for system, kind in (
            ("rabbitmq", "queue"), ("rabbitmq", "exchange"), ("kafka", "topic"), ("redis", "stream"), ("redis", "list"),
        )
    ]  # fmt: skip
    queries = [
        query
        for spot in spots
        for query in (
            exporters.waiting(spot), exporters.waiting_s(spot), exporters.grown(spot, 90), exporters.sent(spot, 7200),
            exporters.failing(spot, 600), exporters.handling_s(spot, 600),
        )
        if query is not None
    ]  # fmt: skip
    return [
        alert(
            "QueueDepth", "queue depth", spots[0], query, threshold=1, unit="messages", observed=1, reason="of {0}", names=(name,),
            certainty="guess", evidence=None, services=(name,), subject=f"{number} {name}", silence=number % 3 == 0,
        )
        for number, query in enumerate(queries)
    ]  # fmt: skip


def test_no_name_breaks_a_rule(tmp_path: Path) -> None:
    names = (*NAMES, "a{b}c", "{{ $labels.channel }}", "{{{ 1 }}}")
    made_rules = tuple(rule for name in names for rule in every_rule(name))
    nowhere = tuple(unwatched("queue depth", Spot("rabbitmq", "queue", name, name), "of {0}", name) for name in names)
    path = written(Alerts(made_rules, nowhere, "a note"), tmp_path)
    assert accepted(path) > len(made_rules) > 20 * len(names)
    read = yaml.safe_load(path.read_text())["groups"]
    assert {rule["labels"].get("channel") for rule in read[0]["rules"]} == {
        name.replace("{{", '{{ "{{" }}') for name in names
    }
    assert all(line.startswith("#") for line in path.read_text().partition("\ngroups:")[0].split("\n"))


def test_a_name_that_is_a_template_stays_what_it_is(tmp_path: Path) -> None:
    name = "{{ $value"
    query = exporters.waiting(Spot("redis", "list", name))
    assert query is not None
    rule = alert("QueueDepth", "queue depth", Spot("redis", "list", name), query, threshold=1, unit="messages", observed=1,
                 reason="of {0}", names=(name,), certainty="guess", evidence=None)  # fmt: skip
    path = written(Alerts((rule,)), tmp_path)
    assert [
        each["channel"] for each in fires(path, "QueueDepth", {f"redis_key_size{{key={quoted(name)}}}": "5x30"})
    ] == [name]


def test_many_channels_of_one_kind_are_one_rule(
    made: MadeTrace, findings: Callable[[], Findings], tmp_path: Path
) -> None:
    for number in range(40):
        name = f"reply.{number:08x}-0000-4000-8000-000000000000.queue"
        send = made.send(channel="", channel_kind="exchange", routing_key=name)
        made.receive(send, channel=name, channel_kind="queue", settings={"exchange": ""})
    alerts = findings().alerts
    (depth,) = [each for each in alerts.rules if each.watches == "queue depth"]
    assert 'queue=~"reply\\\\..+\\\\.queue"' in depth.expression
    path = written(alerts, tmp_path)
    series = 'rabbitmq_detailed_queue_messages_ready{queue="reply.77.queue"}'
    assert len(fires(path, "QueueDepth", {series: "11x30"})) == 1
    assert fires(path, "QueueDepth", {series.replace("reply.", "replyx"): "11x30"}) == []


@given(st.text(st.characters(codec="utf-8")))
def test_a_string_is_read_back(text: str) -> None:
    assert json.loads(quoted(text)) == text
    query = waiting(Spot("redis", "list", text))
    assert query is not None
    assert query.promql == f"sum(redis_key_size{{key={quoted(text)}}})"


@given(st.floats(1e-6, 1e9))
def test_rounding_never_lowers_a_threshold(value: float) -> None:
    assert value <= round_up(value) * (1 + 1e-9)
    assert round_up(value) <= value * 1.1 * (1 + 1e-9)


@given(st.integers(5, 10_000), st.integers(0, 100), st.floats(0.1, 1e5))
def test_a_silence_is_longer_than_one_missed_tick(ticks: int, missed: int, period: float) -> None:
    schedule = Schedule(Place("code", "s", "f", "f:1"), period, 0.0, ticks, missed, "likely")
    assert 2 * period <= silence_s(schedule) <= 11 * period


def test_the_command(made: MadeTrace, tmp_path: Path) -> None:
    by_queue(made)
    made.write()
    told = msgtrace("export", "alerts", "--db", made.path, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith(MARK)
    done = msgtrace("export", "alerts", "--db", made.path, "--out", "out/alerts.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "out/alerts.yaml\n")
    assert "msgtrace: 5 rules; 0 things have none" in done.stderr
    assert (tmp_path / "out" / "alerts.yaml").read_text() == told.stdout
    assert accepted(tmp_path / "out" / "alerts.yaml") > 4
    (tmp_path / "mine.yaml").write_text("groups: []\n")
    refused = refusal(msgtrace("export", "alerts", "--db", made.path, "--out", "mine.yaml", cwd=tmp_path))
    assert "was not written by msgtrace" in refused
    assert (tmp_path / "mine.yaml").read_text() == "groups: []\n"


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    return done.stderr


def test_the_guide_has_them(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    by_queue(made)
    made.receive(channel="other|`x", channel_kind="queue")
    text = guide.render(findings()).partition("### Alerting Rules")[2].partition("\n## ")[0]
    assert "| `QueueDepth` | queue depth | rabbitmq queue `work` | 10 messages |" in text
    assert "of 120 messages at most 2 waited" in text
    assert "No rule was made for:" in text
    name = "<code>other&#124;&#96;x</code>"
    assert f"| dead letters | rabbitmq queue {name} | no way for dead messages of {name} is known |" in text
