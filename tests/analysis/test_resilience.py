"""The score is what the formula says, and what was not seen is never a pass."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.passes.criteria import WEIGHTS, made
from msgtrace_analysis.passes.resilience import _together, score_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings, Score
    from tests.analysis.made_trace import MadeTrace

QUEUE: dict[str, Any] = {"channel": "work", "channel_kind": "queue", "service": "worker"}
SENT: dict[str, Any] = {"channel": "jobs", "channel_kind": "exchange", "service": "web"}
CHECKS = st.lists(st.tuples(st.sampled_from(sorted(WEIGHTS)), st.none() | st.floats(0, 1)), min_size=1, max_size=20)


@given(CHECKS)
def test_the_formula(given_checks: list[tuple[str, float | None]]) -> None:
    checks = [made(name, share, "x", remedy="y") for name, share in given_checks]
    score = score_of("system", "s", "", "", "", checks)
    total = sum(WEIGHTS[name] for name, _ in given_checks)
    earned = sum(WEIGHTS[name] * share for name, share in given_checks if share is not None)
    unknown = sum(WEIGHTS[name] for name, share in given_checks if share is None)
    assert score.points == pytest.approx(100 * earned / total, abs=0.06)
    assert score.best == pytest.approx(100 * (earned + unknown) / total, abs=0.06)
    assert score.points <= score.best <= 100
    for each, (_, share) in zip(checks, given_checks, strict=True):
        assert (each.state == "unknown") == (share is None)
        assert (each.state == "pass") == (share == 1)


@given(CHECKS)
def test_all_together_weigh_the_same(given_checks: list[tuple[str, float | None]]) -> None:
    checks = [made(name, share, "x", remedy="y") for name, share in given_checks]
    apart, together = (
        score_of("system", "s", "", "", "", checks),
        score_of("system", "s", "", "", "", list(_together(checks))),
    )
    assert together.points == pytest.approx(apart.points, abs=0.2)
    assert together.known == apart.known


def test_the_document_has_every_weight() -> None:
    text = (Path(__file__).parents[2] / "docs" / "resilience.md").read_text()
    assert {
        name: int(weight) for name, weight in re.findall(r"^\| ([a-z -]+) \| (\d+) \|", text, re.MULTILINE)
    } == WEIGHTS


def states(score: Score) -> dict[str, str]:
    return {each.name: each.state for each in score.criteria}


def test_a_consumer_of_which_little_is_known(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.receive(made.send(**SENT), **QUEUE)
    system, consumer, producer = findings().resilience.scores
    assert set(states(consumer).values()) == {"unknown", "pass"}
    assert [name for name, state in states(consumer).items() if state == "pass"] == ["keeps up"]
    assert states(producer) == {"confirms": "pass", "sends succeed": "pass"}
    assert consumer.points < 10 < consumer.best == 100
    assert states(system)["breaker"] == "unknown"


def test_what_went_wrong_is_said(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.operation("declare", **QUEUE, settings={"action": "declare", "durable": False})
    send = made.send(**SENT)
    for _ in range(2):
        receive = made.receive(send, **QUEUE)
        made.settle("ack", receive, service="worker")
        made.cause(receive, made.send(channel="done", channel_kind="exchange", service="worker"))
    consumer = findings().resilience.scores[1]
    assert {name for name, state in states(consumer).items() if state == "fail"} == {
        "acknowledgement after work", "dead-letter route", "idempotent", "durable",
    }  # fmt: skip
    failed = [each for each in consumer.criteria if each.state == "fail"]
    assert all(each.remedy and each.evidence is not None for each in failed)


def test_nothing_to_score(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(system="pyee", channel="b", channel_kind="bus")
    assert findings().resilience.scores == ()


def test_where_dead_letters_have_come_to_needs_no_way_for_them(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
    made.operation("declare", **QUEUE, settings={"action": "declare", "arguments": arguments})
    dead = {**QUEUE, "channel": "dead"}
    made.operation("declare", **dead, settings={"action": "declare"})
    made.receive(made.send(channel="", channel_kind="exchange", routing_key="work"), **QUEUE, settings={"exchange": ""})
    made.receive(**dead, settings={"exchange": ""})
    consumers = {each.channel: states(each) for each in findings().resilience.scores if each.scope == "consumer"}
    assert consumers["work"]["dead-letter route"] == "pass"
    assert "dead-letter route" not in consumers["dead"]
