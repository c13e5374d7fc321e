"""The catalogue: counts, places, sizes and times of every event type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Place, Sizes
from tests.analysis.made_trace import START_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def test_publishers_and_consumers_with_their_places(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(3):
        send = made.send(
            service="web",
            channel="orders",
            channel_kind="topic",
            event_type="placed",
            body="x" * 10**number,
            site="/app/web/orders.py:7 place_order",
        )
        made.receive(send, service="billing", channel="orders", channel_kind="topic", site="/srv/billing.py:3 serve")
        made.receive(
            send,
            service="mail",
            channel="orders",
            channel_kind="topic",
            site=None,
            handler="/app/mail.py:9 Mailer.on_order",
        )
    (event,) = findings().events
    assert (event.sends, event.receives) == (3, 6)
    assert [(each.place, each.evidence.operations) for each in event.publishers] == [
        (Place("code", "web", "place_order", "web/orders.py:7"), 3)
    ]
    assert [(each.place, each.evidence.operations) for each in event.consumers] == [
        (Place("code", "billing", "serve", "/srv/billing.py:3"), 3),
        (Place("handler", "mail", "Mailer.on_order", "mail.py:9"), 3),
    ]


def test_a_frameworks_handler_is_a_place_of_its_own_for_each_channel(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    """It calls other code of the program's for each; its path is that of its package, wherever that is installed."""
    for channel in ("orders", *(f"user.{number}.inbox" for number in range(4))):
        where = {"channel": channel, "channel_kind": "queue"}
        send = made.send(service="web", **where, body=channel)
        made.receive(
            send, service="mail", **where, handler="/v/lib/python3.12/site-packages/fw/consume.py:3 Fw.consume"
        )
    consumers = {each.name: [party.place for party in each.consumers] for each in findings().events}
    assert consumers == {
        "orders": [Place("handler", "mail", "Fw.consume for orders", "fw/consume.py:3")],
        "user.{user_id}.inbox": [Place("handler", "mail", "Fw.consume for user.{user_id}.inbox", "fw/consume.py:3")],
    }


def test_evidence_is_the_first_operations_how_many_and_when(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    ids = [made.send(channel="orders", channel_kind="topic") for _ in range(7)]
    (event,) = findings().events
    assert event.evidence.operations == 7
    assert event.evidence.examples == tuple(ids[:5])
    assert event.evidence.first_seen_ns == START_NS + 1_000_000
    assert event.evidence.last_seen_ns == START_NS + 7_000_000


def test_sizes_are_of_whole_bodies_and_the_rate_over_the_whole_trace(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for size in (10, 20, 90_000):
        made.send(channel="orders", channel_kind="topic", body={"n": size}, body_size=size, truncated=size > 80_000)
    made.operation("connect", after_ns=3_998_000_000)
    (event,) = findings().events
    assert event.sizes == Sizes(10, 20, 90_000)
    assert event.per_second == 0.75


def test_without_a_body_or_a_span_nothing_is_said_of_them(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="orders", channel_kind="topic")
    (event,) = findings().events
    assert (event.sizes, event.per_second) == (None, None)


def test_code_of_a_library_has_no_place(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="orders", channel_kind="topic", site=None)
    (event,) = findings().events
    assert event.publishers[0].place == Place("code", "app", "", "")


def test_an_empty_trace_has_no_events(findings: Callable[[], Findings]) -> None:
    found = findings()
    assert (found.events, found.flows, found.contracts, found.recording.operations) == ((), (), (), 0)
