"""What the guide says of requests, long transactions, fallbacks, circles and loose ends; and that no name breaks it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from msgtrace_analysis.passes.lineage import MAX_ORIGINS
from msgtrace_analysis.renderers import event_flows, guide
from tests.analysis import test_fallbacks, test_requests, test_sagas
from tests.analysis.conversing import handle, publish, request, travel
from tests.analysis.hostile import NAMES
from tests.analysis.test_event_flows import checked
from tests.analysis.test_guide import PARSER

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def talk(made: MadeTrace) -> None:
    """Some of everything."""
    test_sagas.played(made, half=2, bad=3)
    for number in range(4):
        receive = handle(made, test_requests.ask(made, f"r{number}"), "prices")
        test_requests.answer(made, receive, f"r{number}")
    for number in range(6):
        cause = request(made)
        test_fallbacks.call(made, cause, 200 if number < 3 else 503)
        if number >= 3:
            publish(made, "charge.queued", cause)
    travel(made, *[("retry", "web")] * 4, cause=request(made, "/again"))


def test_the_guide_says_it_in_words(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    talk(made)
    text = guide.render(findings())
    for sentence in (
        "| `price.asked` | web `ask` | `price.told` | prices `main` | temporary queue | 4 | 4 | 0 | 3 ms / 3 ms / 3 ms | exact | [E",
        "11 transactions over `orders`, `payments`, `stock`, held together by correlation id: 6 completed, 3 undone, 0 failed, 2 stuck",
        "\n2. [`stock.reserved`](#event-stock-reserved-on-events) by stock: in 11\n",
        "\n6. [`stock.released`](#event-stock-released-on-events) by stock: in 3 (compensation)\n",
        "undoes `stock.reserved` on rabbitmq exchange `events` after `payment.declined`: seen 3 times; likely\n",
        "- 2 went no further than `stock.reserved` (`msgtrace follow ",
        "when `POST payments:8080/charges/{id}` fails (status 503 3), it sends `charge.queued`: after 3 of 3 failed calls",
        "- `retry`: went round after 1 trigger, 3 times at most; exact [E",
        "- `charge.queued` was published 3 times and never received in this recording:",
        "1. 3 of 11 (likely): `order.placed` to stock `on_event`; `stock.reserved` to payments `on_event`;",
        "Choreography (likely): 3 services publish in it",
    ):
        assert sentence in text, sentence


def test_the_file_for_programs_keeps_to_its_schema(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    talk(made)
    document = checked(event_flows.render(findings()))
    found = document["conversations"]
    assert found.pop("too_many_origins") == 0
    assert {kind: len(each) for kind, each in found.items()} == {
        "requests": 1, "sagas": 1, "fallbacks": 1, "cycles": 1, "loose_ends": 3, "deviations": 0, "calls": 1,
    }  # fmt: skip
    known = {event["id"] for event in document["event_catalog"]}
    assert {each["event"] for each in found["sagas"][0]["steps"]} <= known


def test_no_name_breaks_either(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number, name in enumerate(NAMES):
        other = NAMES[number - 1]
        travel(made, (name, name), (f"{other} failed", other), (f"un {name}", name), correlation_id=name)
        asked = publish(made, name, service=name, reply_to=other, correlation_id=f"{number}", expiration="x")
        publish(made, other, handle(made, asked, other), service=other, routing_key=other, correlation_id=f"{number}")
        cause = request(made, name, other)
        test_fallbacks.call(made, cause, None, service=other, outcome="raised", error_type=name, channel=name)
        publish(made, name, cause, service=other)
        for service in (name, f"{name} 2"):
            for _ in range(3):
                publish(
                    made,
                    f"type {name}",
                    service=service,
                    headers={name: 1} if service == name else {"y": 1},
                    body={name: 1},
                )
    found = findings()
    document = checked(event_flows.render(found))
    assert len(document["conversations"]["fallbacks"]) == len(NAMES)
    assert len(document["conversations"]["deviations"]) >= len(NAMES)
    rendered = PARSER.render(guide.render(found))
    assert "<script" not in rendered
    for table in re.findall(r"<table>.*?</table>", rendered, re.DOTALL):
        rows = [len(re.findall(r"<t[hd][ >]", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)]
        assert len(set(rows)) == 1
    assert json.loads(json.dumps(document)) == document


def test_too_many_origins_are_counted(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    send = publish(made, "whole")
    for _ in range(MAX_ORIGINS + 1):
        made.cause(handle(made, publish(made, "part"), "web"), send)
    found = findings()
    assert found.conversations.cut == 1
    assert "1 operation with more than 64 possible origins" in guide.render(found)
