"""One event type on two channels: its bodies are the same, or it is said how they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Contract, Findings
    from tests.analysis.made_trace import MadeTrace


def twice(made: MadeTrace, here: Callable[[int], Any], there: Callable[[int], Any], many: int = 30) -> None:
    for number in range(many):
        for channel, body in (("orders", here), ("audit", there)):
            made.send(channel=channel, channel_kind="topic", event_type="order.placed", body=body(number))


def on(findings: Findings, channel: str) -> Contract:
    (found,) = (each for each in findings.contracts if f"/{channel}/" in each.event)
    return found


def test_the_same_body_is_said_to_be_the_same(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    twice(
        made,
        lambda n: {"id": n, "note": "x"} if n % 2 else {"id": n},
        lambda n: {"id": n} if n % 2 else {"id": n, "note": "y"},
    )
    found = findings()
    for channel, other in (("orders", "audit"), ("audit", "orders")):
        (elsewhere,) = on(found, channel).elsewhere
        assert elsewhere.event == on(found, other).event
        assert (elsewhere.differences, elsewhere.count, elsewhere.certainty) == ((), 0, "likely")


@pytest.mark.parametrize("many", [6, 30])
def test_differences_are_said_from_both_sides(made: MadeTrace, findings: Callable[[], Findings], many: int) -> None:
    kept = {"kept": 1, "total": 2.5, "unit": "kg"}
    twice(
        made,
        lambda n: {"id": n, "at": {"x": 1, "y": 2}, "name": "a", **kept},
        lambda n: {"id": str(n), "more": True, **kept} | ({"name": "a"} if n % 2 else {}),
        many,
    )
    found = findings()
    (here,) = on(found, "orders").elsewhere
    said = {each.path: each.what for each in here.differences}
    # Six samples that have a field, of which half may lack it, can be chance.
    maybe = {"name": "always here, not always there"} if many == 30 else {}
    assert said == {"at": "only here", "id": "integer here, string there", "more": "only there", **maybe}
    assert here.certainty == ("likely" if many == 30 else "guess")
    (there,) = on(found, "audit").elsewhere
    assert {each.path: each.what for each in there.differences}["more"] == "only here"


def test_a_type_on_one_channel_is_nowhere_else(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="orders", channel_kind="topic", event_type="order.placed", body={"id": 1})
    assert on(findings(), "orders").elsewhere == ()
