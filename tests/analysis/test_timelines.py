"""How traffic went over time, in parts that add up to the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

SECOND = 1_000_000_000
ORDERS = {"channel": "orders", "channel_kind": "queue", "event_type": "order.placed"}


def test_parts_hold_what_happened_in_them(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for _ in range(30):
        send = made.send(service="web", after_ns=SECOND, **ORDERS)
        made.receive(send, service="billing", after_ns=2_000_000, **ORDERS)
    made.send(service="web", after_ns=30 * SECOND, channel="late", channel_kind="queue", event_type="late")
    found = findings().timelines
    assert found.parts == 60
    assert found.width_ns == pytest.approx(SECOND, rel=0.02)
    assert found.whole is not None
    assert sum(found.whole.sends) == 31
    assert sum(found.whole.receives) == 30
    assert found.whole.sends[-1] == 1
    assert sum(found.whole.sends[32:-1]) == 0
    assert {each for each in found.whole.p50_ms if each is not None} == {2.0}
    assert found.whole.p50_ms[-1] is None
    orders, late = sorted(found.events, key=lambda each: -sum(each.sends))
    assert "order.placed" in orders.event
    assert (sum(orders.sends), sum(late.sends), sum(late.receives)) == (30, 1, 0)


def test_what_comes_again_and_what_fails_is_counted(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    send = made.send(service="web", **ORDERS)
    first = made.receive(send, service="billing", outcome="raised", error_type="ValueError", **ORDERS)
    made.settle("requeue", first, service="billing", channel="orders", channel_kind="queue")
    again = made.receive(send, service="billing", redelivered=True, **ORDERS)
    made.settle("ack", again, service="billing", channel="orders", channel_kind="queue")
    whole = findings().timelines.whole
    assert whole is not None
    assert (sum(whole.sends), sum(whole.receives), sum(whole.again), sum(whole.failed)) == (1, 2, 1, 1)


def test_messages_at_one_time_are_one_part(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(**ORDERS)
    found = findings().timelines
    assert found.parts == 1
    assert found.whole is not None
    assert found.whole.sends == (1,)


def test_nothing_has_no_timeline(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    found = findings().timelines
    assert (found.parts, found.whole, found.events) == (0, None, ())
