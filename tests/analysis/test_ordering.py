"""Order is that of one sender, partition or key, and of first receives; against a plain count over random orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgtrace_analysis.passes import prepare
from msgtrace_analysis.passes.delivery import guarantees
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace
from tests.analysis.made_trace import MadeTrace as Made

if TYPE_CHECKING:
    import pytest

TOPIC: dict[str, Any] = {"system": "kafka", "channel": "t", "channel_kind": "topic", "partition_id": 0}


def plainly(offsets: list[int]) -> tuple[int, int]:
    """Violations by first receives, and repeats after a later message, counted one by one."""
    seen: set[int] = set()
    reached, violations, late = -1, 0, 0
    for offset in offsets:
        if offset in seen:
            late += offset < reached
        else:
            seen.add(offset)
            violations += offset < reached
            reached = max(reached, offset)
    return violations, late


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offsets=st.lists(st.integers(0, 12), min_size=2, max_size=30), members=st.integers(1, 3))
def test_any_order_of_a_partition(tmp_path_factory: pytest.TempPathFactory, offsets: list[int], members: int) -> None:
    made = Made(tmp_path_factory.mktemp("made") / "trace.duckdb")
    for place, offset in enumerate(offsets):
        made.receive(**TOPIC, log_offset=offset, consumer_group="g", service=f"member-{place % members}")
    made.write()
    with open_trace(made.path) as trace, Study(trace) as study:
        prepare(study)
        orders = guarantees(study).orders
    if len(set(offsets)) < 2:
        assert orders == ()
        return
    (order,) = orders
    assert (order.violations, order.late_repeats) == plainly(offsets)
    assert order.messages == len(set(offsets))
    assert len(order.examples) == min(order.violations, 5)


def test_by_key_and_by_partition(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for offset, key in ((0, "a"), (2, "b"), (1, "a"), (3, "b")):
        made.receive(**TOPIC, log_offset=offset, message_key=key, consumer_group="g")
    found = {each.scope: each for each in findings().guarantees.orders}
    assert (found["partition"].violations, found["key"].violations, found["key"].lanes) == (1, 0, 2)


def test_senders_have_no_order_between_them(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    exchange: dict[str, Any] = {"channel": "jobs", "channel_kind": "exchange"}
    sends = [made.send(service=service, **exchange) for service in ("a", "b", "a", "b")]
    received = [made.receive(sends[place], channel="work", channel_kind="queue") for place in (1, 3, 2, 0)]
    (order,) = findings().guarantees.orders
    assert (order.scope, order.lanes, order.violations) == ("queue", 2, 1)
    ((example),) = order.examples
    assert (example.receive_id, example.before_id) == (received[3], received[2])


def test_sends_under_way_at_once_have_no_order(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    exchange: dict[str, Any] = {"channel": "jobs", "channel_kind": "exchange"}
    together = [made.send(duration_ns=10_000_000_000, **exchange) for _ in range(2)]
    apart = [made.send(duration_ns=0, **exchange) for _ in range(2)]
    for place in (1, 0):
        made.receive(together[place], channel="work", channel_kind="queue")
    for place in (1, 0):
        made.receive(apart[place], channel="other", channel_kind="queue")
    found = {each.channel: each.violations for each in findings().guarantees.orders}
    assert found == {"work": 0, "other": 1}


def test_machines_are_not_compared_by_their_clocks(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.process("far", host="elsewhere")
    for offset, service in ((5, "near"), (1, "far"), (6, "near"), (2, "far")):
        made.receive(**TOPIC, log_offset=offset, consumer_group="g", service=service)
    (order,) = findings().guarantees.orders
    assert order.violations == 0
