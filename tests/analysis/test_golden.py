"""The documents of the shop's kept recording are, byte for byte, those that were reviewed: tests/golden."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from integration.golden import DOCUMENTS, GOLDEN, KEPT
from integration.kept_trace import restored
from msgtrace_analysis.passes import examine
from msgtrace_analysis.renderers.documents import render
from msgtrace_analysis.renderers.persons import without_persons
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Findings


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    trace = restored(KEPT, tmp_path_factory.mktemp("golden") / "trace.duckdb")
    with open_trace(trace) as opened, Study(opened) as study:
        return examine(study)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_what_was_reviewed(findings: Findings, name: str) -> None:
    """`python -m integration.golden --render` writes them anew: read what changed before it is kept."""
    written = without_persons(render(name, findings)[name])
    reviewed = (GOLDEN / name).read_text("utf-8")
    if written == reviewed:
        return
    different = difflib.unified_diff(
        reviewed.splitlines(), written.splitlines(), "reviewed", "written", lineterm="", n=0
    )
    pytest.fail("\n".join(list(different)[:200]))


def test_the_recording_is_small_and_says_nothing_of_where_it_was_made() -> None:
    files = sorted(KEPT.glob("*.parquet"))
    assert sum(each.stat().st_size for each in files) < 300_000
    assert not any(str(Path(__file__).parents[2]).encode() in each.read_bytes() for each in files)


def section(guide: str, event: str, channel: str) -> str:
    """What stands under an event type's heading."""
    _, _, after = guide.partition(f"</a>`{event}` on {channel}\n")
    return after.partition("\n#### ")[0].partition("\n### ")[0]


PAYMENTS: Final = ("payment.requested", "rabbitmq exchange `shop.payments`")
ORDERS: Final = "kafka topic `shop.orders`"


@pytest.mark.parametrize(
    ("event", "channel", "answers"),
    [
        # Who publishes payment.requested, and who gets it?
        (*PAYMENTS, [r"Published by:\n  - shop\.web `PaymentRequests\.request_payment` \(`examples/shop/web/payment_requests\.py:60`\): 27 "]),
        (*PAYMENTS, [r"Consumed by:\n  - shop\.payments `PaymentWorker\.on_request` \(`examples/shop/payments/__main__\.py:25`\): 34 "]),
        # What happens if its consumer fails?
        (*PAYMENTS, [
            r"at least once\*\* \(exact\): it acknowledges after the work", r"came back by dead-letter exchange through `shop\.payments\.wait`",
            r"delays fixed 1[0-9]{2} ms, at most 3 attempts, then dead letter to `shop\.payments\.dead`", r"3 recovered, 2 given up",
        ]),
        # And if that of order.status on the WebSocket does?
        ("order.status", "websocket connection `/feed`", [r"at most once\*\* \(exact\): nothing is kept for a receiver"]),
        # Which fields of order.placed may be missing?
        ("order.placed", ORDERS, [r"Fields that may be missing: `coupon` \(in 11 of 30\)"]),
        # What do I break when I rename order.confirmed? Whoever consumes it.
        ("order.confirmed", ORDERS, [
            r"shop\.fulfilment\.billing `serve` \(`examples/shop/fulfilment/billing\.py:40`\): 22", r"shop\.fulfilment\.shipping `serve`",
        ]),
    ],
)  # fmt: skip
def test_a_newcomers_questions_are_answered_from_the_guide_alone(event: str, channel: str, answers: list[str]) -> None:
    told = section((GOLDEN / "MESSAGING_GUIDE.md").read_text("utf-8"), event, channel)
    assert told
    for answer in answers:
        assert re.search(answer, told), (answer, told)
