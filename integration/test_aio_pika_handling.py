"""aio_pika: what the program got, what it did with it, and what followed from that."""

from collections.abc import Callable

import pytest

from integration.aio_pika_program import (
    PYTHONS,
    SETTLEMENTS,
    Run,
    bodies,
    by_sequence,
    encoded,
    following,
    runner,
    said,
    settled,
    told,
)
from integration.brokers import Rabbitmq
from msgtrace.records import CAUSE_ELSEWHERE, CAUSE_ENDED, CAUSE_LIVE, CAUSE_SETTLED

pytestmark = pytest.mark.rabbitmq


@pytest.fixture(params=PYTHONS)
def run(request: pytest.FixtureRequest, rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> Run:
    return runner(request.param, rabbitmq.url, unique)


def test_settlements_and_how_handlers_end(run: Run) -> None:
    ended = run("settling")
    assert [told(each) for each in ended.of("receive")] == said(ended, "receive")
    account = said(ended, *SETTLEMENTS)
    assert settled(ended) == [(each["did"], each["tag"]) for each in account]
    assert [each["multiple"] for each in ended.of("settle")] == [each.get("multiple") for each in account]

    receives = {each.sequence: each for each in ended.of("receive") if each["consumer_tag"]}
    processes = ended.of("process")
    assert [each["receipt"] for each in processes] == list(receives)
    assert [each.causes for each in processes] == [(each,) for each in receives]
    assert all(each["handler"]["name"] == "run.<locals>.on_message" for each in processes)
    ends = {
        receives[each["receipt"]]["body"].decode(): (each.outcome, each.error_type, each.error_message)
        for each in processes
    }
    raised = {
        "processed_in_vain": ("raised", "ValueError", "refused by the handler"),
        "processed_again": ("raised", "LookupError", "not yet"),
        "forgotten": ("raised", "RuntimeError", "nobody settles this"),
    }
    assert {name: end for name, end in ends.items() if end[0] != "ok"} == raised
    assert all(each.ended_ns is not None for each in processes)
    by_process = {each.sequence: each["receipt"] for each in processes}
    for each in ended.of("settle"):
        if each.causes and each.causes[0] in by_process:
            assert receives[by_process[each.causes[0]]]["delivery_tag"] == each["delivery_tag"]


@pytest.mark.parametrize("connection", ["robust", "plain"])
def test_what_a_loop_publishes_follows_from_the_message_it_got(run: Run, connection: str) -> None:
    ended = run("iterating", connection)
    assert [told(each) for each in ended.of("receive")] == said(ended, "receive")
    assert following(ended) == {
        "nothing": ["nothing"],
        **{f"iterated {number}": [f"iterated {number}"] * (2 if number == 2 else 1) for number in range(5)},
    }
    states = {each["body"]: each.cause_state for each in ended.of("send") if each.causes}
    assert states == {
        b"after iterated 0": CAUSE_LIVE,
        b"after iterated 1": CAUSE_LIVE,
        b"after iterated 2": CAUSE_LIVE,
        b"still after iterated 2": CAUSE_SETTLED,
        b"after iterated 3": CAUSE_SETTLED,
        b"after iterated 4": CAUSE_LIVE,
    }
    assert ended.of("process") == []
    # The account has what the loop settled; the iterator gave back what it had prefetched.
    account = [(each["did"], each["tag"]) for each in said(ended, "ack")]
    assert [each for each in settled(ended) if each[0] == "ack"] == account
    given_back = [
        (each.outcome, each["delivery_tag"], each["multiple"]) for each in ended.of("settle") if each.outcome != "ack"
    ]
    assert given_back in ([("requeue", 4, None), ("requeue", 5, None)], [("requeue", 5, True)])
    again = [each for each in ended.of("receive") if each["redelivered"]]
    assert bodies(again) == [b"iterated 3", b"iterated 4"]
    assert [each["settings"]["message_count"] for each in again] == [1, 0]


def test_remote_calls_and_workers(run: Run, unique: Callable[[str], str]) -> None:
    prefix = unique("patterns")
    ended = run("patterns", prefix=prefix)
    receives = {each.sequence: each for each in ended.of("receive")}
    handled = [
        (receives[each["receipt"]]["channel"], each["handler"]["name"], each.outcome) for each in ended.of("process")
    ]
    own = [each for each in handled if each[0].startswith(prefix)]
    assert own == [
        (f"{prefix}.doubled", "doubled", "ok"),
        (f"{prefix}.failing", "failing", "ok"),
        (f"{prefix}.pickled", "doubled", "ok"),
        *[(f"{prefix}.jobs", "work.<locals>.worker", "ok")] * 3,
    ]
    assert [name for channel, name, _ in handled if not channel.startswith(prefix)] == ["RPC.on_result_message"] * 3
    calls = [each for each in ended.of("send") if each["event_type"] == "call"]
    replies = [each for each in ended.of("send") if each["event_type"] in {"result", "error"}]
    assert [each.outcome for each in calls] == ["ack", "ack", "returned", "ack"]
    answered = [each for each in calls if each.outcome == "ack"]
    assert [each["correlation_id"] for each in replies] == [each["correlation_id"] for each in answered]
    assert [each["routing_key"] for each in replies] == [each["reply_to"] for each in answered]
    processes = by_sequence(ended)
    for call, reply in zip(answered, replies, strict=True):
        (cause,) = reply.causes
        assert receives[processes[cause]["receipt"]]["message_id"] == call["message_id"]
    assert [outcome for outcome, _ in settled(ended)] == ["ack", "ack", "ack", "ack", "reject", "nack"]


def test_what_handlers_publish_follows_from_what_they_handle(run: Run) -> None:
    ended = run("causes")
    names = [each["name"] for each in said(ended, "consume")]
    assert following(ended) == {name: [name] * (2 if name == "in_tasks" else 1) for name in names}
    states = {each["body"].decode(): each.cause_state for each in ended.of("send") if b" after " in each["body"]}
    expected = {
        "reply after directly": CAUSE_LIVE,
        "one after in_tasks": CAUSE_ELSEWHERE,
        "two after in_tasks": CAUSE_ELSEWHERE,
        "work after after_ack": CAUSE_SETTLED,
        "late after in_the_background": CAUSE_SETTLED | CAUSE_ENDED,
        "threaded after from_a_thread": CAUSE_ELSEWHERE,
        "optional after with_options": CAUSE_LIVE,
        "reply after object": CAUSE_LIVE,
    }
    assert states == {body: state for body, state in expected.items() if body.rpartition(" ")[2] in names}
    handlers = {each["handler"]["name"] for each in ended.of("process")}
    assert handlers == {"Callable.__call__" if name == "object" else f"Handlers.{name}" for name in names}
    # A delivery comes from elsewhere, whatever was being handled when its channel was opened.
    assert {each.causes for each in ended.of("receive")} == {()}
    sites = {each.site[2] for each in ended.of("send") if each.site and b" after " in each["body"]}
    assert sites == {"Handlers.publish"}


def test_aiormq_alone(run: Run, unique: Callable[[str], str]) -> None:
    prefix = unique("raw")
    ended = run("raw", prefix=prefix)
    account = said(ended, "receive")
    receives = ended.of("receive")
    assert [(encoded(each["body"]), each["delivery_tag"], each["message_id"]) for each in receives] == [
        (each["body"], each["tag"], each["message_id"]) for each in account
    ]
    assert [each["channel"] for each in receives] == [each["body"].decode() for each in receives]
    assert [each["handler"]["name"] for each in ended.of("process")] == [
        "main.<locals>.by_coroutine",
        "main.<locals>.by_coroutine",
        "main.<locals>.account",
    ]
    assert following(ended) == {f"{prefix}.{name}": [f"{prefix}.{name}"] for name in ("one", "two")}
    assert sorted(settled(ended)) == [("ack", 1), ("ack", 2)]
