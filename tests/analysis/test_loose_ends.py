"""Event types that are known from one side only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.analysis.conversing import handle, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def test_each_with_its_reason(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    handle(made, publish(made, "both"), "mail")
    publish(made, "unheard")
    publish(made, "refused", channel="other", outcome="returned")
    publish(made, "alone", channel="lonely")
    made.send(system="pyee", channel="bus", channel_kind="bus", routing_key="emitted")
    handle(made, None, "mail", channel="feed", event_type="price")
    found = {each.name: (each.missing, each.reason) for each in findings().conversations.loose_ends}
    assert found == {
        "unheard": ("receive", "other types on this channel are received, this one by nobody that was traced"),
        "refused": ("receive", "no send of it succeeded"),
        "alone": ("receive", "nobody who was traced receives from this channel"),
        "emitted": ("receive", "no handler was registered for it"),
        "price": ("send", "whoever publishes it was not traced"),
    }
