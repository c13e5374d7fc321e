"""Single executions of flows: everything that followed, each after what it follows from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.findings import Moment
from msgtrace_analysis.passes.executions import LONGEST, in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

ORDERS = {"channel": "orders", "channel_kind": "queue", "event_type": "order.placed"}
MAILS = {"channel": "mails", "channel_kind": "queue", "event_type": "mail.wanted"}


def order(made: MadeTrace, *, fails: bool = False) -> tuple[int, ...]:
    trigger = made.operation(
        "trigger", "http", service="web", channel="/orders", channel_kind="route", routing_key="POST"
    )
    send = made.cause(trigger, made.send(service="web", **ORDERS))
    failed = {"outcome": "raised", "error_type": "ValueError"} if fails else {}
    receive = made.receive(send, service="billing", handler="/app/billing.py:5 on_order", **ORDERS, **failed)
    if fails:
        return trigger, send, receive
    mail = made.cause(receive, made.send(service="billing", **MAILS), "likely")
    return trigger, send, receive, mail, made.receive(mail, "likely", service="mailer", **MAILS)


def test_an_execution_is_followed_through_services(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    first = order(made)
    order(made)
    found = findings()
    (execution,) = found.executions
    assert tuple(each.operation_id for each in execution.moments) == first
    assert [each.follows for each in execution.moments] == [None, *first[:-1]]
    assert [each.kind for each in execution.moments] == ["trigger", "send", "receive", "send", "receive"]
    assert [each.service for each in execution.moments] == ["web", "web", "billing", "billing", "mailer"]
    assert [each.certainty for each in execution.moments[1:]] == ["exact", "exact", "likely", "likely"]
    assert execution.moments[2].name == "order.placed"
    assert [each.at_ns for each in execution.moments] == [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000]
    assert found.flows[execution.flow].trigger.service == "web"
    assert execution.left_out == 0


def test_the_usual_way_and_one_that_failed(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for fails in (True, False, False):
        order(made, fails=fails)
    found = findings()
    usual, failed = found.executions
    assert (usual.variant, failed.variant) == (0, 1)
    assert len(usual.moments) == 5
    assert [each.error_type for each in failed.moments] == ["", "", "ValueError"]
    assert found.flows[failed.flow].variants[failed.variant].failed


def test_a_long_execution_is_cut_and_says_so(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    trigger = made.operation("trigger", "http", service="web", channel="/all", channel_kind="route", routing_key="POST")
    for _ in range(LONGEST):
        made.cause(trigger, made.send(service="web", **ORDERS))
    (execution,) = findings().executions
    assert len(execution.moments) == LONGEST
    assert execution.left_out == 1


def test_no_message_has_no_execution(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    assert findings().executions == ()


MOMENT = Moment(0, "send", "web", "", "", "", 0, None, None, "exact", "ok", "", "", "")


@given(st.lists(st.tuples(st.integers(-50, 50), st.none() | st.integers(0, 12)), max_size=12))
def test_everything_stands_once_and_after_what_it_follows_from(drawn: list[tuple[int, int | None]]) -> None:
    moments = [
        replace(MOMENT, operation_id=place, at_ns=at, follows=follows) for place, (at, follows) in enumerate(drawn)
    ]
    ordered = in_order(moments)
    assert sorted(each.operation_id for each in ordered) == list(range(len(moments)))
    places = {each.operation_id: place for place, each in enumerate(ordered)}
    for each in moments:
        above, seen = each.follows, {each.operation_id}
        while above is not None and above < len(moments) and above not in seen:
            seen.add(above)
            above = moments[above].follows
        circular = above is not None and above in seen
        if not circular and each.follows is not None and each.follows < len(moments):
            assert places[each.follows] < places[each.operation_id]
