"""The same id gives the same answer wherever it is seen; a sample has about its part; what is no message is left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.hook import Late, Observe, Process, Send
from msgtrace.records import LEFT_OUT_CHANNEL, LEFT_OUT_CONVERSATION
from msgtrace.sampling import chosen, conversation, left_out, sampled

IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=50)
RATES = st.floats(0.001, 0.999)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@given(IDS, RATES)
def test_the_same_id_decides_the_same_everywhere(name: str, rate: float) -> None:
    forms: list[Any] = [
        {"channel": "a", "channel_kind": "exchange", "correlation_id": name},
        {"channel": "b", "channel_kind": "queue", "correlation_id": name, "settings": {"exchange": "c"}},
        {"channel": "topic", "headers": [("other", b"x"), ("X-Correlation-Id", name.encode())]},
        {"channel": "topic", "headers": [("correlation_id", name)], "body": b"y"},
        {"channel": "a", "channel_kind": "exchange", "message_id": name, "reply_to": "replies"},
    ]
    answers = {left_out(each, kind, rate) for each in forms for kind in ("send", "receive")}
    assert answers == {0 if chosen(name.encode(), rate) else LEFT_OUT_CONVERSATION}


@given(st.from_regex(r"[0-9a-f]{32}", fullmatch=True), RATES)
def test_a_trace_goes_before_all_else(trace: str, rate: float) -> None:
    header = f"00-{trace}-00f067aa0ba902b7-01"
    forms: list[Any] = [
        {"trace_id": trace, "correlation_id": "x"},
        {"headers": [("traceparent", header)], "correlation_id": "y"},
        {"headers": [("correlation-id", b"z"), ("Traceparent", header.upper().encode())]},
    ]
    assert {conversation(each) for each in forms} == {trace.encode()}
    assert len({left_out(each, kind, rate) for each in forms for kind in ("send", "receive", "call", "trigger")}) == 1


@given(IDS, RATES, RATES)
def test_a_larger_sample_has_all_of_a_smaller_one(name: str, one: float, other: float) -> None:
    if chosen(name.encode(), min(one, other)):
        assert chosen(name.encode(), max(one, other))


@pytest.mark.parametrize("form", ["{}", "order-{}", "{:032x}", "2026-12-01T{}"])
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_a_sample_has_about_its_part_of_near_ids(form: str, rate: float) -> None:
    many = 20_000
    found = sum(chosen(form.format(number).encode(), rate) for number in range(many))
    assert abs(found - many * rate) < 5 * (many * rate * (1 - rate)) ** 0.5


@given(IDS, st.sampled_from(["", "orders", "ordérs"]), RATES)
def test_both_ends_of_an_exchange_decide_by_it(key: str, exchange: str, rate: float) -> None:
    sent: Any = {"channel": exchange, "channel_kind": "exchange", "routing_key": key, "message_id": "a"}
    got: Any = {"channel": "any", "channel_kind": "queue", "routing_key": key, "settings": {"exchange": exchange}}
    assert left_out(sent, "send", rate) == left_out(got, "receive", rate)
    assert left_out(sent, "send", rate) in {0, LEFT_OUT_CHANNEL}


def test_what_is_no_message_is_left_alone() -> None:
    def read(*_: object) -> Any:
        return {"channel": "x"}

    for action in (Process(read=read), Observe(kind="settle", read=read), Late(read=lambda *_: None)):
        assert sampled(action, 0.1) is action
    fact: Any = sampled(Observe(kind="declare", read=read), 0.000001)
    assert fact.read() == {"channel": "x", "left_out": 0}


def test_a_message_that_is_left_out_keeps_only_what_it_is_counted_by() -> None:
    whole: Any = {"channel": "x", "body": b"secret", "correlation_id": "1", "headers": [("a", b"b")], "handler": 3}
    action: Any = sampled(Send(read=lambda: [whole]), 1e-9)
    assert action.read() == [{"channel": "x", "handler": 3, "left_out": LEFT_OUT_CONVERSATION}]
