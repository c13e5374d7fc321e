"""What follows from what, rule by rule; and what no rule may claim: an exact cause is never another message's.

The rules that make a cause exact are attacked here with made traces, and with real programs in `integration/test_causes.py`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgtrace.records import CAUSE_BATCH, CAUSE_ELSEWHERE, CAUSE_ENDED, CAUSE_NESTED, CAUSE_SETTLED
from tests.collectors.conftest import rows
from tests.collectors.made_trace import Programs


@pytest.fixture
def programs(tmp_path: Path, spool: Path) -> Programs:
    return Programs(tmp_path, spool)


def test_causes_in_a_handler(programs: Programs) -> None:
    a = programs.program()
    got = a.did("receive", channel="q")
    handling = a.did("process", channel="q", causes=got, receipt=got, at_ms=1_000, lasted_ms=500)
    live = a.did("send", causes=handling, at_ms=1_100)
    settled = a.did("send", causes=handling, cause_state=CAUSE_SETTLED, at_ms=1_200)
    task = a.did("send", causes=handling, cause_state=CAUSE_ELSEWHERE, at_ms=1_300)
    soon = a.did("send", causes=handling, cause_state=CAUSE_ENDED, at_ms=2_000)
    long_after = a.did("send", causes=handling, cause_state=CAUSE_ENDED, at_ms=9_000)
    assert {effect: how for (_, effect), how in programs.joined("causes").items()} == {
        handling: ("context", "exact"), live: ("context", "exact"), settled: ("context", "likely"), soon: ("context", "likely"),
        task: ("context", "likely"), long_after: ("context", "guess"),
    }  # fmt: skip


def test_what_follows_a_fetch_is_likely_its_work(programs: Programs) -> None:
    a = programs.program()
    got = a.did("receive", channel="q")
    sent = a.did("send", causes=got)
    acked = a.did("settle", causes=got)
    assert programs.joined("causes") == dict.fromkeys([(got, sent), (got, acked)], ("context", "likely"))


@pytest.mark.parametrize(
    ("candidates", "effect", "expected"),
    [
        ([{"correlation_id": "c1"}, {"correlation_id": "c2"}], {"correlation_id": "c2"}, [(1, "correlation", "exact")]),
        ([{"message_id": "m1"}, {"message_id": "m2"}], {"correlation_id": "m1"}, [(0, "correlation", "exact")]),
        ([{"body": b"one" * 9}, {"body": b"two" * 9}], {"body": b"two" * 9}, [(1, "body", "exact")]),
        ([{"body": b"one"}, {"body": b"two"}], {"body": b"two"}, [(1, "body", "likely")]),
        ([{"message_key": b"a"}, {"message_key": b"b"}], {"message_key": b"b"}, [(1, "key", "likely")]),
        (
            [{"body": b'{"order":"A-1000001"}'}, {"body": b'{"order":"A-1000002"}'}],
            {"body": b'{"for":"A-1000002","ok":true}'},
            [(1, "content", "likely")],
        ),
        (
            [{"body": b'{"shop":"north-east","n":1}'}, {"body": b'{"shop":"north-east","n":2}'}],
            {"body": b'{"shop":"north-east"}'},
            [(0, "context", "guess"), (1, "context", "guess")],
        ),
        (
            [{"message_key": b"a"}, {"message_key": b"a"}],
            {"message_key": b"a"},
            [(0, "key", "guess"), (1, "key", "guess")],
        ),
        ([{}, {}], {}, [(0, "context", "guess"), (1, "context", "guess")]),
    ],
)
def test_a_batch_is_narrowed_by_evidence_and_never_exact_without(
    programs: Programs,
    candidates: list[dict[str, Any]],
    effect: dict[str, Any],
    expected: list[tuple[int, str, str]],
) -> None:
    a = programs.program()
    got = [a.did("receive", "kafka", channel="t", **each) for each in candidates]
    sent = a.did("send", "kafka", channel="u", causes=got, cause_state=CAUSE_BATCH, **effect)
    assert programs.joined("causes") == {(got[n], sent): (method, certainty) for n, method, certainty in expected}


def test_a_large_batch_without_evidence_is_counted_and_not_guessed(programs: Programs) -> None:
    a = programs.program()
    got = [a.did("receive", "kafka", channel="t") for _ in range(50)]
    for _ in range(3):
        a.did("send", "kafka", channel="u", causes=got, cause_state=CAUSE_BATCH)
    assert programs.joined("causes") == {}
    assert [(r["reason"], r["lost"]) for r in rows(programs.folder / "trace.duckdb", "from losses")] == [("cause", 3)]


def test_a_fetch_inside_a_handler(programs: Programs) -> None:
    a = programs.program()
    handling = a.did("process", channel="q", lasted_ms=100)
    reply = a.did("receive", channel="replies", causes=handling)
    sent = a.did("send", causes=[reply, handling], cause_state=CAUSE_NESTED)
    causes = programs.joined("causes")
    assert causes[handling, sent] == ("context", "exact")
    assert causes[reply, sent] == ("context", "likely")


FORWARDED = b"a body that is passed on as it came"


@pytest.mark.parametrize(
    ("earlier", "current", "effect", "expected"),
    [
        # Each time the program has the earlier message still in hand, and the effect may be that one's.
        ({}, {"message_id": "m"}, {"correlation_id": "m"}, ("correlation", "exact")),
        ({"message_id": "m"}, {"message_id": "m"}, {"correlation_id": "m"}, ("correlation", "likely")),
        ({}, {"correlation_id": "saga"}, {"correlation_id": "saga"}, ("correlation", "exact")),
        (
            {"correlation_id": "saga"},
            {"correlation_id": "saga"},
            {"correlation_id": "saga"},
            ("correlation", "likely"),
        ),
        ({"message_id": "m"}, {"correlation_id": "m"}, {"correlation_id": "m"}, ("correlation", "likely")),
        ({}, {"body": FORWARDED}, {"body": FORWARDED}, ("body", "exact")),
        ({"body": FORWARDED}, {"body": FORWARDED}, {"body": FORWARDED}, ("body", "likely")),
        ({}, {"body": b"done"}, {"body": b"done"}, ("body", "likely")),
        (
            {},
            {"body": FORWARDED, "body_size": 1_000},
            {"body": FORWARDED, "body_size": 1_000},
            ("body", "likely"),
        ),
        ({}, {"message_key": b"k"}, {"message_key": b"k"}, ("key", "likely")),
        ({}, {"body": b'{"order":1000001}'}, {"body": b'{"of":1000001}'}, ("context", "likely")),
    ],
)
def test_a_fetched_message_is_exact_where_the_effect_names_it_and_no_other(
    programs: Programs,
    earlier: dict[str, Any],
    current: dict[str, Any],
    effect: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    a = programs.program()
    a.did("receive", channel="q", **earlier)
    got = a.did("receive", channel="q", **current)
    sent = a.did("send", channel="r", causes=got, **effect)
    a.did("receive", channel="q", **current)  # came later, and can have caused nothing
    assert programs.joined("causes") == {(got, sent): expected}


def test_a_constant_that_a_message_happens_to_be_is_no_evidence(programs: Programs) -> None:
    a = programs.program()
    first = a.did("receive", channel="q", body=b"something else altogether")
    one = a.did("send", channel="r", causes=first, body=FORWARDED)
    second = a.did("receive", channel="q", body=FORWARDED)
    two = a.did("send", channel="r", causes=second, body=FORWARDED)
    assert programs.joined("causes") == {(first, one): ("context", "likely"), (second, two): ("body", "likely")}


def test_a_batch_is_not_exact_when_an_earlier_one_had_the_same(programs: Programs) -> None:
    a = programs.program()
    a.did("receive", "kafka", channel="t", body=FORWARDED)
    got = [a.did("receive", "kafka", channel="t", body=body) for body in (FORWARDED, b"and something else")]
    sent = a.did("send", "kafka", channel="u", causes=got, cause_state=CAUSE_BATCH, body=FORWARDED)
    assert programs.joined("causes") == {(got[0], sent): ("body", "likely")}


def test_a_handler_that_was_over_while_its_fetch_waited(programs: Programs) -> None:
    """A worker that a handler started: its fetch was begun inside the handler, and returned long after."""
    a = programs.program()
    handling = a.did("process", channel="q", at_ms=100, lasted_ms=50)
    inside = a.did("send", causes=handling, at_ms=140)
    soon = a.did("send", causes=handling, at_ms=1_000)
    late = a.did("send", causes=handling, at_ms=9_000)
    assert {effect: how for (_, effect), how in programs.joined("causes").items()} == {
        inside: ("context", "exact"), soon: ("context", "likely"), late: ("context", "guess"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("message", "effect", "expected"),
    [
        ({"message_id": "m"}, {"correlation_id": "m"}, ("correlation", "exact")),
        ({"message_id": "m"}, {"correlation_id": "of another"}, ("context", "likely")),
        ({"body": FORWARDED}, {"body": FORWARDED}, ("body", "exact")),
        ({}, {}, ("context", "likely")),
    ],
)
def test_what_a_handler_has_started_is_exact_where_it_names_the_message(
    programs: Programs, message: dict[str, Any], effect: dict[str, Any], expected: tuple[str, str]
) -> None:
    a = programs.program()
    got = a.did("receive", channel="q", **message)
    handling = a.did("process", channel="q", causes=got, receipt=got, lasted_ms=500)
    sent = a.did("send", channel="r", causes=handling, cause_state=CAUSE_ELSEWHERE, **effect)
    acked = a.did("settle", channel="q", causes=handling, cause_state=CAUSE_ELSEWHERE)
    again = a.did("receive", channel="q", **message)
    assert programs.joined("causes") == {
        (got, handling): ("context", "exact"), (handling, sent): expected, (handling, acked): ("context", "likely"),
    }, again  # fmt: skip


def test_a_fetch_in_what_a_handler_has_started(programs: Programs) -> None:
    a = programs.program()
    handling = a.did("process", channel="q", lasted_ms=100)
    reply = a.did("receive", channel="replies", causes=handling, cause_state=CAUSE_ELSEWHERE)
    sent = a.did("send", causes=[reply, handling], cause_state=CAUSE_NESTED | CAUSE_ELSEWHERE)
    causes = programs.joined("causes")
    assert causes == dict.fromkeys([(handling, reply), (handling, sent), (reply, sent)], ("context", "likely"))


def test_a_settlement_follows_from_what_it_names(programs: Programs) -> None:
    a = programs.program()
    place: dict[str, Any] = {"connection": "mq:5672/shop", "delivery_channel": 1}
    first, second = (a.did("receive", delivery_tag=tag, **place) for tag in (1, 2))
    acked = a.did("settle", delivery_tag=1, causes=second, outcome="ack", **place)
    entry: dict[str, Any] = {"channel": "s", "consumer_group": "g"}
    got = [a.did("receive", "redis", identity=f"{n}-0", **entry) for n in range(50)]
    named = a.did("settle", "redis", identity="3-0", causes=got, cause_state=CAUSE_BATCH, **entry)
    log: dict[str, Any] = {"channel": "t", "partition_id": 0, "consumer_group": "g"}
    read = [a.did("receive", "kafka", log_offset=n, **log) for n in range(50)]
    few = a.did("settle", "kafka", log_offset=2, causes=read, cause_state=CAUSE_BATCH, **log)
    many = a.did("settle", "kafka", log_offset=50, causes=read, cause_state=CAUSE_BATCH, **log)
    assert programs.joined("causes") == dict.fromkeys(
        [(first, acked), (got[3], named), (read[0], few), (read[1], few)], ("settlement", "exact")
    )
    # What one commit settles of many is told by `settlements`; nothing is lost.
    assert len([settle for settle, _ in programs.joined("settlements") if settle == many]) == 48
    assert rows(programs.folder / "trace.duckdb", "from losses") == []


def test_an_entry_that_another_took_over_is_not_exactly_what_was_settled(programs: Programs) -> None:
    a, b = programs.program(), programs.program()
    entry: dict[str, Any] = {"channel": "s", "consumer_group": "g", "identity": "1-0"}
    mine = a.did("receive", "redis", **entry)
    theirs = b.did("receive", "redis", redelivered=True, **entry)
    acked = a.did("settle", "redis", causes=mine, **entry)
    assert programs.joined("causes") == {(theirs, acked): ("settlement", "likely")}


BODIES = st.sampled_from([b"the same body again and again", b"another body that is sent", b"one more of the bodies"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fetch"), BODIES, st.sampled_from(["c1", "c2", None])),
        st.tuples(st.just("answer"), st.integers(0, 3), st.sampled_from(["body", "correlation", "nothing"])),
    ),
    max_size=24,
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_whatever_a_program_keeps_in_hand_an_exact_cause_is_the_true_one(
    steps: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It answers any of the last four messages that it fetched; the recorder knows only which was fetched last."""
    with tempfile.TemporaryDirectory(prefix="msgtrace-test-", dir="/dev/shm") as spool:
        programs = Programs(tmp_path_factory.mktemp("trace"), Path(spool))
        a = programs.program()
        held: list[tuple[Any, bytes, str | None]] = []
        truth = {}
        for step in steps:
            if step[0] == "fetch":
                about = {"correlation_id": step[2]} if step[2] else {}
                held.append((a.did("receive", channel="q", body=step[1], **about), step[1], step[2]))
            elif held:
                cause, body, correlation = held[-1 - step[1] % len(held[-4:])]
                effect: dict[str, Any] = {}
                if step[2] == "body":
                    effect = {"body": body}
                elif step[2] == "correlation" and correlation is not None:
                    effect = {"correlation_id": correlation}
                truth[a.did("send", channel="r", causes=held[-1][0], **effect)] = cause
        exact = [pair for pair, (_, certainty) in programs.joined("causes").items() if certainty == "exact"]
        assert [(cause, effect) for cause, effect in exact if truth[effect] != cause] == []
