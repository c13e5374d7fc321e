"""Retry policies and dead letters, from made traces; programs on real brokers are in integration/test_retrying.py."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from msgtrace.command_line import cli
from msgtrace_analysis.findings import DeclaredPolicy, Evidence, Place, RetryPolicy
from msgtrace_analysis.passes.attempts import tried
from msgtrace_analysis.passes.policy_differences import differences
from msgtrace_analysis.passes.retrying import retrying
from msgtrace_analysis.passes.topology import topology

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from msgtrace_analysis.findings import Findings
    from msgtrace_analysis.study import Study
    from tests.analysis.made_trace import MadeTrace

MS = 1_000_000
WORK: dict[str, Any] = {
    "channel": "work", "channel_kind": "queue", "event_type": "job", "handler": "/app/w.py:5 work", "service": "worker",
    "settings": {"exchange": ""}, "routing_key": "work",
}  # fmt: skip


def declare(made: MadeTrace, queue: str, **arguments: Any) -> None:
    settings = {"action": "declare", "arguments": {name.replace("_", "-"): value for name, value in arguments.items()}}
    made.operation("declare", service="worker", channel=queue, channel_kind="queue", settings=settings)


def sent(made: MadeTrace, number: int = 0, channel: str = "", key: str = "work", **columns: Any) -> int:
    return made.send(
        channel=channel, channel_kind="exchange", routing_key=key, event_type="job", body={"n": number}, **columns
    )


def death(queue: str, reason: str, count: int = 1) -> dict[str, Any]:
    return {"queue": queue, "reason": reason, "exchange": "", "count": count, "routing-keys": [queue]}


def requeued(made: MadeTrace, messages: int, attempts: int, end: str = "reject") -> None:
    """Messages that are given back 50 ms after they came, and refused in the end."""
    for number in range(messages):
        send = sent(made, number)
        for attempt in range(1, attempts + 1):
            receive = made.receive(send, redelivered=attempt > 1, body={"n": number}, **WORK)
            last = attempt == attempts
            made.settle(end if last else "requeue", receive, service="worker", after_ns=2 * MS if last else 52 * MS)


def test_a_requeue_after_a_wait_in_the_handler(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    declare(made, "work", x_dead_letter_exchange="", x_dead_letter_routing_key="work.dead")
    requeued(made, 4, 3)
    (found,) = findings().retrying.observed
    assert (found.service, found.channel, found.place.name, found.mechanism) == ("worker", "work", "work", "requeue")
    assert found.mechanism_certainty == "exact"
    assert (found.groups, found.exhausted, found.recovered) == (4, 4, 0)
    assert found.policy == RetryPolicy("fixed", 0.05, None, 0.05, 0.0, 3, "dead letter", "work.dead")
    assert any("in the handler" in reason for reason in found.reasons)
    assert [attempt.result for attempt in found.examples[0]] == ["requeue", "requeue", "reject"]
    assert found.evidence.certainty == "likely"


def test_fewer_than_three_messages_are_said_to_be_few(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    requeued(made, 2, 3)
    (found,) = findings().retrying.observed
    assert found.note.startswith("rests on 2 messages only")
    assert found.evidence.certainty == "guess"


def test_times_to_live_and_back_through_x_death(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    declare(made, "work", x_dead_letter_exchange="", x_dead_letter_routing_key="pause")
    declare(made, "pause", x_dead_letter_exchange="", x_dead_letter_routing_key="work", x_message_ttl=200)
    for number in range(3):
        send = sent(made, number)
        first = made.receive(send, body={"n": number}, **WORK)
        made.settle("reject", first, service="worker")
        again = [death("pause", "expired"), death("work", "rejected")]
        second = made.receive(send, body={"n": number}, headers={"x-death": again}, after_ns=200 * MS, **WORK)
        made.settle("ack", second, service="worker")
    found = findings()
    (policy,) = found.retrying.observed
    assert (policy.mechanism, policy.route) == ("dead-letter exchange", ("pause", "work"))
    assert policy.policy.initial_delay_s == pytest.approx(0.2)
    assert policy.policy.max_attempts is None
    assert "it succeeded, or gave them up" in policy.note
    assert [(each.source, each.channel) for each in found.retrying.declared] == [("x-message-ttl", "pause")]
    assert found.retrying.differences == ()
    assert {(each.source, each.retry) for each in found.dead_letters.routes} == {("work", True), ("pause", True)}
    ages = {each.source: each.median_age_s for each in found.dead_letters.routes}
    assert ages == {"work": pytest.approx(0.0, abs=0.01), "pause": pytest.approx(0.2, abs=0.01)}
    assert (found.dead_letters.poison, found.dead_letters.dropped) == ((), ())


def test_a_queue_that_waits_otherwise_than_declared_is_a_difference(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    declare(made, "work", x_dead_letter_exchange="", x_dead_letter_routing_key="pause")
    declare(made, "pause", x_dead_letter_exchange="", x_dead_letter_routing_key="work", x_message_ttl=500)
    for number in range(3):
        send = sent(made, number)
        made.settle("reject", made.receive(send, body={"n": number}, **WORK), service="worker")
        again = [death("pause", "expired"), death("work", "rejected")]
        second = made.receive(send, body={"n": number}, headers={"x-death": again}, after_ns=200 * MS, **WORK)
        made.settle("ack", second, service="worker")
    (difference, *_) = findings().retrying.differences
    assert (difference.declared.source, difference.declared_value, difference.observed_value) == (
        "x-message-ttl",
        "0.5",
        "0.2",
    )


def test_a_message_that_waits_for_its_turn_is_no_difference(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    declare(made, "work", x_dead_letter_exchange="", x_dead_letter_routing_key="pause")
    declare(made, "pause", x_dead_letter_exchange="", x_dead_letter_routing_key="work", x_message_ttl=100)
    for number in range(3):
        send = sent(made, number)
        made.settle("reject", made.receive(send, body={"n": number}, **WORK), service="worker")
        again = [death("pause", "expired"), death("work", "rejected")]
        second = made.receive(send, body={"n": number}, headers={"x-death": again}, after_ns=250 * MS, **WORK)
        made.settle("ack", second, service="worker")
    found = findings().retrying
    assert found.observed[0].policy.initial_delay_s == pytest.approx(0.25)
    assert found.differences == ()


def test_an_exchange_that_delays(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.operation(
        "declare", service="worker", channel="later", channel_kind="exchange",
        settings={"action": "declare", "exchange_type": "x-delayed-message"},
    )  # fmt: skip
    for number in range(3):
        send = sent(made, number)
        for attempt in range(3):
            receive = made.receive(send, body={"n": number}, **WORK)
            if attempt < 2:
                send = made.cause(receive, sent(made, number, "later", headers={"x-delay": 100}, service="worker"))
                made.settle("ack", receive, service="worker")
                made.operation("call", after_ns=98 * MS)
            else:
                made.settle("ack", receive, service="worker")
    (found,) = findings().retrying.observed
    assert (found.mechanism, found.mechanism_certainty, found.grouped_by) == (
        "delayed exchange", "exact", (("sent on: body", 6),),
    )  # fmt: skip
    assert found.policy.initial_delay_s == pytest.approx(0.1, rel=0.05)


def test_what_a_lost_connection_brings_back_is_no_policy(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(3):
        send = sent(made, number)
        made.receive(send, body={"n": number}, connection_id=1, **WORK)
        again = made.receive(
            send, body={"n": number}, connection_id=2, redelivered=True, after_ns=(number + 1) * 900 * MS, **WORK
        )
        made.settle("ack", again, service="worker")
    (found,) = findings().retrying.observed
    assert (found.mechanism, found.mechanism_certainty) == ("reconnect", "likely")


def test_a_loop_in_the_code(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(3):
        receive = made.receive(sent(made, number), body={"n": number}, **WORK)
        for attempt in range(4):
            failed = {"outcome": "raised", "error_type": "Down"} if attempt < 3 else {}
            made.cause(
                receive,
                made.send(
                    channel="out", channel_kind="topic", system="kafka", service="worker", body={"q": number},
                    site="/app/w.py:9 ask", after_ns=100 * 2**attempt * MS, **failed,
                ),
            )  # fmt: skip
    (found,) = findings().retrying.observed
    assert (found.mechanism, found.place.name, found.policy.kind) == ("in-process loop", "ask", "exponential")
    assert found.policy.multiplier == pytest.approx(2.0, rel=0.05)
    assert (found.policy.max_attempts, found.recovered, found.errors) == (None, 3, (("Down", 9),))


def test_the_attempts_that_a_library_tells_of_beside_its_policy(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    ask: dict[str, Any] = {
        "system": "tenacity", "library": "tenacity 9.2", "service": "worker", "channel": "ask", "channel_kind": "retry",
        "handler": "/app/w.py:9 ask",
    }  # fmt: skip
    policy = {
        "action": "retry policy",
        "stop": {"is": "stop_after_attempt", "max_attempt_number": 5},
        "wait": {"is": "wait_fixed", "wait_fixed": 0.2},
        "retry": None,
        "reraise": True,
        "otherwise": None,
    }
    made.operation("declare", settings=policy, **ask)
    for _ in range(3):
        for attempt in range(1, 4):
            settings = {
                "action": "attempt",
                "error": "app.Down",
                "sleep_s": 0.2 if attempt < 3 else None,
                "then": "again",
            }
            made.operation("call", settings=settings, attempt=attempt, outcome="raised", after_ns=210 * MS, **ask)
    found = findings()
    (observed,) = found.retrying.observed
    assert (observed.mechanism, observed.place.name, observed.groups, observed.reasons) == (
        "in-process loop", "ask", 3, ("tenacity was seen to make each attempt",),
    )  # fmt: skip
    assert observed.policy == RetryPolicy("fixed", 0.2, None, 0.2, 0.0, 3, "raised")
    (declared,) = found.retrying.declared
    assert declared.policy.max_attempts == 5
    assert ("max_attempts", "5", "3") in {
        (each.field, each.declared_value, each.observed_value) for each in found.retrying.differences
    }


def test_messages_that_all_ended_acknowledged_are_not_said_to_be_given_up(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    requeued(made, 5, 3, end="ack")
    found = findings()
    assert found.retrying.observed[0].policy.max_attempts is None
    assert found.dead_letters.poison == ()


def test_refused_with_nowhere_to_go_is_dropped(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    declare(made, "work")
    requeued(made, 3, 2)
    found = findings()
    assert found.retrying.observed[0].policy.then == "dropped"
    (gone,) = found.dead_letters.dropped
    assert (gone.how, gone.messages, gone.evidence.certainty) == ("refused with no dead-letter route", 3, "exact")
    (poison,) = found.dead_letters.poison
    assert (poison.messages, poison.of, poison.attempts, poison.end) == (3, 3, 2, (("dropped", 3),))


@pytest.mark.parametrize(
    ("no_ack", "settled", "how"),
    [(True, None, "automatically acknowledged and raised"), (False, "ack", "acknowledged on error")],
)
def test_an_error_after_which_a_message_is_gone(
    made: MadeTrace, findings: Callable[[], Findings], no_ack: bool, settled: str | None, how: str
) -> None:
    made.operation(
        "subscribe",
        service="worker",
        channel="work",
        channel_kind="queue",
        settings={"action": "consume", "no_ack": no_ack},
    )
    receive = made.receive(sent(made), body={"n": 0}, **WORK)
    made.cause(
        receive,
        made.operation("process", service="worker", outcome="raised", error_type="app.Bad", handler="/app/w.py:5 work"),
    )
    if settled:
        made.settle(settled, receive, service="worker")
    (gone,) = findings().dead_letters.dropped
    assert (gone.how, gone.errors, gone.place.name) == (how, (("app.Bad", 1),), "work")


def test_dead_letters_that_came_where_they_were_to(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    declare(made, "work", x_dead_letter_exchange="", x_dead_letter_routing_key="work.dead")
    declare(made, "work.dead", x_message_ttl=60000)
    send = sent(made)
    made.settle("reject", made.receive(send, body={"n": 0}, **WORK), service="worker")
    dead = made.receive(
        send, service="clerk", channel="work.dead", channel_kind="queue", event_type="job", body={"n": 0},
        headers={"x-death": [death("work", "rejected")]}, after_ns=2_000 * MS, settings={"exchange": ""},
    )  # fmt: skip
    made.cause(dead, sent(made, service="clerk"))
    (route,) = findings().dead_letters.routes
    assert (route.source, route.targets, route.declared, route.observed, route.retry) == (
        "work",
        ("work.dead",),
        True,
        True,
        False,
    )
    assert (route.reasons, route.messages, route.retention) == ((("rejected", 1),), 1, ("time to live 60000 ms",))
    # Rejected as soon as it came; that it then lay there for two seconds is no part of its age when it died.
    assert route.oldest_s == pytest.approx(0.0, abs=0.01)
    assert (route.redriven, route.redriven_by) == (1, ("clerk",))


def test_what_is_declared_is_laid_beside(made: MadeTrace, study: Callable[[], AbstractContextManager[Study]]) -> None:
    requeued(made, 3, 3)
    stated = DeclaredPolicy(
        "tenacity", Place("code", "worker", "work", ""), "worker", "", "",
        RetryPolicy("fixed", 1.0, None, 1.0, 0.0, 5, "raised"), Evidence(1, (), None, None, "exact"),
    )  # fmt: skip
    with study() as known:
        found = retrying(known, topology(known), tried(known), [stated])
    assert found.differences == differences([stated], found.observed)
    assert {(each.field, each.declared_value, each.observed_value) for each in found.differences} == {
        ("max_attempts", "5", "3"), ("initial_delay_s", "1", "0.05"), ("max_delay_s", "1", "0.05"), ("then", "raised", "dropped"),
    }  # fmt: skip


def test_the_command(made: MadeTrace) -> None:
    declare(made, "work")
    requeued(made, 3, 3)
    made.write()

    def asked(*arguments: str) -> Any:
        done = CliRunner().invoke(cli, ["retries", "--db", str(made.path), "--format", "json", *arguments])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    (row,) = asked()
    assert (row["service"], row["mechanism"], row["delays"], row["attempts"], row["then"]) == (
        "worker", "requeue", "fixed 50 ms", 3, "dropped",
    )  # fmt: skip
    assert asked("--service", "nobody") == asked("--event", "other") == []
    assert len(asked("--event", "job", "--channel", "work")) == 1
    assert [each["messages"] for each in asked("--of", "dropped")] == [3]
    assert asked("--of", "poison")[0]["end"] == {"dropped": 3}
    assert asked("--of", "route") == asked("--of", "difference") == asked("--of", "declared") == []
    card = CliRunner().invoke(cli, ["show", "--db", str(made.path), "job"])
    assert "requeue, fixed 50 ms, at most 3 attempts, then dropped" in " ".join(card.output.split())


def test_routes_are_chosen_by_channel_service_and_event(made: MadeTrace) -> None:
    for queue in ("work", "other"):
        declare(made, queue, x_dead_letter_exchange="", x_dead_letter_routing_key=f"{queue}.dead")
        declare(made, f"{queue}.dead")
    made.operation("subscribe", channel="work", channel_kind="queue", service="worker", settings={"action": "consume"})
    made.receive(sent(made), body={"n": 0}, **WORK)
    made.write()

    def sources(*arguments: str) -> list[str]:
        line = ["retries", "--of", "route", "--db", str(made.path), "--format", "json", *arguments]
        done = CliRunner().invoke(cli, line)
        assert done.exit_code == 0, done.output
        return [each["source"] for each in json.loads(done.stdout)]

    assert sorted(sources()) == ["other", "work"]
    assert sources("--channel", "other.*") == sources("--channel", "other") == ["other"]
    assert sources("--service", "worker") == sources("--event", "job") == ["work"]
    assert sources("--service", "nobody") == sources("--event", "none") == []


def test_what_goes_through_a_breaker_again_is_no_loop(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(3):
        receive = made.receive(sent(made, number), body={"n": number}, **WORK)
        for attempt in range(3):
            failed: dict[str, Any] = {"outcome": "raised", "error_type": "Down"} if attempt < 2 else {}
            call = made.operation(
                "call", "pybreaker", channel="db", channel_kind="breaker", service="worker", site="/app/w.py:9 ask",
                after_ns=100 * MS, **failed,
            )  # fmt: skip
            made.cause(receive, call)
    assert [each for each in findings().retrying.observed if each.mechanism == "in-process loop"] == []
