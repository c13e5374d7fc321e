"""The guide: its sections, what it says of a small trace and of nothing, and that no name breaks it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from msgtrace_analysis.renderers import guide
from tests.analysis.hostile import hostile_trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

PARTS = {
    "Messaging Stack": ["Message Brokers", "Event Bus", "Real-time Communication"],
    "Event Catalog": ["Domain Events", "Integration Events", "Command Events"],
    "Message Flows": ["Critical Workflows", "Event Choreography", "Saga Patterns"],
    "Message Contracts": ["Schema Definitions", "Evolution Strategy", "Validation Rules"],
    "Queue Management": ["Queue Topology", "Routing Rules", "Dead Letter Handling"],
    "Reliability Patterns": ["Retry Policies", "Idempotency", "Ordering Guarantees", "At-least-once Delivery"],
    "Monitoring & Observability": ["Message Metrics", "Distributed Tracing", "Alerting Rules"],
    "Security": ["Message Encryption", "Authentication", "Authorization"],
    "Best Practices": ["Message Design", "Error Handling", "Testing Strategies"],
    "Completeness": [],
}
SECTIONS = list(PARTS)
TAGS = {
    "p", "h1", "h2", "h3", "h4", "em", "strong", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "pre",
    "a", "details", "summary",
}  # fmt: skip
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def headings(text: str, level: int) -> list[str]:
    tokens = PARSER.parse(text)
    return [
        after.content for token, after in pairwise(tokens) if token.type == "heading_open" and token.tag == f"h{level}"
    ]


def section(text: str, name: str) -> str:
    return text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def parts(text: str) -> dict[str, list[str]]:
    """Sections and their subsections, in order."""
    found: dict[str, list[str]] = {}
    for token, after in pairwise(PARSER.parse(text)):
        if token.type == "heading_open" and token.tag == "h2":
            found[after.content] = []
        if token.type == "heading_open" and token.tag == "h3":
            found[list(found)[-1]].append(after.content)
    return found


def part(text: str, name: str) -> str:
    return re.split(r"\n##+ ", text.partition(f"\n### {name}\n")[2])[0]


def a_small_system(made: MadeTrace) -> None:
    trigger = made.operation(
        "trigger", "http", service="web", channel="/orders", channel_kind="route", routing_key="POST"
    )
    for number in range(2):
        send = made.send(
            service="web",
            channel="orders",
            channel_kind="topic",
            event_type="order.placed",
            body={"id": number},
            site="/app/web.py:5 place",
            server="broker:1",
        )
        made.cause(trigger, send)
        made.receive(
            send,
            service="mail",
            channel="orders",
            channel_kind="topic",
            handler="/app/mail.py:9 on_order",
            after_ns=2_000_000,
        )


def test_every_section_is_there_whatever_was_recorded(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    empty = guide.render(findings())
    assert parts(empty) == PARTS
    a_small_system(made)
    assert parts(guide.render(findings())) == PARTS


def test_it_begins_with_the_mark_by_which_it_is_known(findings: Callable[[], Findings]) -> None:
    text = guide.render(findings())
    assert text.startswith(guide.MARK + "\n")
    assert text.endswith("\n")
    assert "\n\n\n" not in text


def test_what_it_says_of_a_small_system(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    a_small_system(made)
    text = guide.render(findings())
    assert (
        "one recording: 5 operations of 2 services, between 2023-11-14 22:13:20.001 and 2023-11-14 22:13:20.007 (UTC)"
        in text
    )
    assert (
        "| [`order.placed`](#event-order-placed-on-orders) | rabbitmq topic `orders` | integration event (likely) | 2 | 2 | `web` |"
        " `mail` | type property (exact) | [E" in text
    )
    assert "  - web `place` (`web.py:5`): 2 [E" in text
    assert "  - mail `on_order` (`mail.py:9`): 2 [E" in text
    flows = section(text, "Message Flows")
    assert "The request came once.\n" in flows
    assert (
        '    n0["web: POST /orders"]\n    n1["mail: on_order"]\n    n0 -->|"order.placed ×2, p95 2 ms"| n1\n' in flows
    )
    assert (
        "| [`order.placed`](#event-order-placed-on-orders) | web `place` | web `POST /orders` | mail `on_order` | 2 | 1 of 1 |"
        " 2 ms / 2 ms / 2 ms | – | exact | [E" in flows
    )
    assert "| `id` | integer | always | – | – | `0`, `1` |" in section(text, "Message Contracts")
    assert "| rabbitmq | topic | `orders` | *not in the trace* | – | 2 | 2 | [E" in section(text, "Queue Management")
    assert "Every send has a receive in this trace and every receive its send." in section(text, "Completeness")


def test_what_was_not_seen_is_said_with_how_to_see_it(findings: Callable[[], Findings]) -> None:
    text = guide.render(findings())
    for name, sentence in {
        "Message Brokers": "No message broker's client library was seen at work.",
        "Event Bus": "No event bus inside of a process was seen at work",
        "Real-time Communication": "No WebSocket was opened.",
        "Domain Events": "No such event was seen: record a run",
        "Integration Events": "No service was seen to tell another anything: record",
        "Command Events": "No message was seen that asks for something: record",
        "Critical Workflows": "No message was recorded, so there is no flow to follow. Record",
        "Event Choreography": "No message was recorded. To see who reacts to what, record",
        "Saga Patterns": "No long transaction was seen",
        "Schema Definitions": "No body that could be read was recorded: there were no messages.",
        "Evolution Strategy": "No body was read, so nothing is known of versions. Record",
        "Validation Rules": "No field was seen whose values keep to",
        "Queue Topology": "No channel was declared or used while the program was recorded. Record a start",
        "Routing Rules": "No binding was declared while the program was recorded.",
        "Dead Letter Handling": "No queue was declared with a dead-letter exchange.",
        "Retry Policies": "No message was seen to be tried again. To see how the system retries, record",
        "Idempotency": "No message was seen to be delivered twice",
        "Ordering Guarantees": "No two messages were seen whose order could be compared. Record",
        "At-least-once Delivery": "No consumer of a broker was seen",
        "Message Metrics": "The recording covers no time",
        "Distributed Tracing": "No message was sent over a connection",
        "Alerting Rules": "No alerting rule is proposed",
        "Message Encryption": "No connection to a server was seen. Record",
        "Authentication": "No connection to a server was seen",
        "Authorization": "Nothing went through a broker",
        "Message Design": "Nothing in this recording gives reason for advice",
        "Error Handling": "Nothing in this recording gives reason for advice",
        "Testing Strategies": "Nothing in this recording gives reason for advice",
    }.items():
        assert sentence in part(text, name), name
    assert "There were no messages." in section(text, "Completeness")
    assert section(text, "Completeness").count("| not observed |") == 6


def test_a_recording_that_goes_on_or_has_no_links_says_so(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    import dataclasses

    found = findings()
    going_on = dataclasses.replace(
        found, recording=dataclasses.replace(found.recording, recording=True, note="a | reason")
    )
    text = guide.render(going_on)
    assert "**The recording was still going on**" in text
    assert "**Links may be incomplete**: a \\| reason" in text


def test_losses_are_told_at_the_top(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(channel="x", channel_kind="topic", truncated=True)
    text = guide.render(findings())
    assert "**Something is missing from the recording**: see [Completeness](#completeness)." in text
    assert "| `app` | truncated |" in text


def test_no_name_breaks_it(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    text = guide.render(findings())
    assert headings(text, 2) == SECTIONS
    rendered = PARSER.render(text)
    tags = set(re.findall(r"<(/?[a-z0-9]+)", rendered))
    assert tags <= TAGS | {f"/{tag}" for tag in TAGS}
    known = set(re.findall(r'<a id="([a-z0-9-]+)"></a>', rendered))
    own = {re.sub(r"[^a-z0-9 -]", "", name.lower()).replace(" ", "-") for name in (*PARTS, "Alerting Rules")}
    links = set(re.findall(r'href="([^"]*)"', rendered))
    assert links
    assert {link.removeprefix("#") for link in links} <= known | own
    for token in PARSER.parse(text):
        if token.type == "fence":
            assert token.info in {"mermaid", "yaml", "python", "promql"}
    for table in re.findall(r"<table>.*?</table>", rendered, re.DOTALL):
        rows = [len(re.findall(r"<t[hd][ >]", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)]
        assert len(set(rows)) == 1
    source_rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(source_rows) == rendered.count("<tr>") + rendered.count("<table>")


def test_what_a_field_holds_is_said(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(60):
        body = {
            "id": f"{number:08x}-0000-4000-8000-000000000000",
            "state": ["new", "paid|x", "lost"][number % 3],
            "v": 1 + number // 30,
        }
        made.send(
            channel="orders",
            channel_kind="topic",
            event_type="placed",
            body=body | ({"note": 1} if number >= 30 else {}),
        )
    contracts = section(guide.render(findings()), "Message Contracts")
    assert (
        "| `id` | string, uuid | always | – | event id |" not in contracts
    )  # 60 different ids are few enough to be told apart
    assert "| `id` | string, uuid | always |" in contracts
    assert "string, one of `lost`, `new`, `paid\\|x`" not in contracts  # no label
    assert "| `v` | integer | always | – | version |" in contracts
    assert re.search(r"\| `2` \| 30 \| .* \| .* \| forward \| `note`: required field added \|", contracts)


def test_readers_of_a_stream_are_not_sought_in_subscriptions(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    """Reading one needs no call that subscribes: that none was seen tells nothing about when the recording began."""
    send = made.send(system="redis", channel="jobs", channel_kind="stream", body={"job": 1})
    made.receive(send, system="redis", channel="jobs", channel_kind="stream", consumer_group="workers")
    text = guide.render(findings())
    assert "streams and lists of Redis are read without one" in text
    assert "`workers`" in text[text.index("### At-least-once Delivery") :]
