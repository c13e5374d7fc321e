"""Memory files: small, whole, and about what was seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from msgtrace_analysis.renderers import memory
from msgtrace_analysis.renderers.file_names import INDEX, OURS, files_of
from msgtrace_analysis.renderers.memory.fitting import BUDGET_BYTES, fitted
from tests.analysis.hostile import hostile_trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

HEAD = {"format": "x", "about": "y"}


def read(files: dict[str, str]) -> dict[str, Any]:
    return {name: json.loads(content) for name, content in files.items()}


ENTRIES = st.lists(
    st.fixed_dictionaries({"name": st.text(max_size=20), "more": st.lists(st.text(max_size=60), max_size=8)}), max_size=40
)  # fmt: skip


@given(ENTRIES, st.integers(600, 4_000))
def test_every_entry_is_in_one_file_and_files_keep_to_the_budget(entries: list[dict[str, Any]], budget: int) -> None:
    files = fitted("a", HEAD, entries, budget)
    documents = read(files)
    assert [each for document in documents.values() for each in document.get("entries", [])] == json.loads(
        json.dumps(entries).encode("utf-8", "backslashreplace")
    )
    for name, document in documents.items():
        assert OURS.fullmatch(name)
        assert len(files[name].encode()) <= budget or len(document.get("entries", [])) == 1 or name == "a.json"
        assert {**document, **HEAD} == document


def test_what_does_not_fit_is_listed_by_name() -> None:
    entries = [{"name": f"event {number}", "text": "x" * 300} for number in range(20)]
    documents = read(fitted("a", HEAD, entries, 2_000))
    listed = documents["a.json"]["entries_in"]
    assert {file: [each["name"] for each in documents[file]["entries"]] for file in listed} == listed
    assert documents["a.json"]["total"] == 20
    many = [{"name": f"event {number:05}", "text": "x"} for number in range(2_000)]
    files = fitted("a", HEAD, many, 10_000)
    assert all(len(each.encode()) <= 10_000 for each in files.values())
    first = read(files)["a.json"]["entries_in"]["a~1.json"]
    assert first["first"] == "event 00000"


def test_what_an_agent_reads(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.operation(
        "declare", service="mail", channel="mail.orders", channel_kind="queue",
        settings={"action": "declare", "durable": True, "arguments": {"x-dead-letter-exchange": "dead"}},
    )  # fmt: skip
    trigger = made.operation(
        "trigger", "http", service="web", channel="/orders", channel_kind="route", routing_key="POST"
    )
    send = made.send(
        service="web",
        channel="orders",
        channel_kind="exchange",
        event_type="order.placed",
        body={"id": 1, "note": None},
    )
    made.cause(trigger, send)
    made.receive(send, service="mail", channel="mail.orders", channel_kind="queue", handler="/app/m.py:1 on_order")
    made.send(
        system="websocket",
        service="web",
        channel="/feed",
        channel_kind="connection",
        event_type="status",
        body={"s": 1},
    )
    files = read(memory.files(findings()))
    assert list(files) == [*(f"{name}.json" for name in memory.MEMORIES), INDEX]
    placed = next(each for each in files["event_catalog.json"]["entries"] if each["name"] == "order.placed")
    assert placed["body"] == {"id": "integer; in all 1", "note": "null; in all 1"}
    assert placed["consumers"] == ["mail: on_order (m.py:1)"]
    assert "description" not in placed
    flow = next(each for each in files["message_flows.json"]["entries"] if each["name"] == "POST /orders")
    assert (flow["trigger"], flow["triggered"]) == ("web: POST /orders (app.py:10)", 1)
    assert [step["event"] for step in flow["steps"]] == ["rabbitmq/exchange/orders/order.placed"]
    queue = next(each for each in files["queue_config.json"]["entries"] if each["name"] == "mail.orders")
    assert (queue["durable"], queue["dead_letters"]["exchange"]) == (True, "dead")
    assert files["resilience_patterns.json"]["entries"][0]["name"] == "resilience score"
    assert [each["direction"] for each in files["websocket_events.json"]["entries"]] == ["web to not seen"]


def test_hostile_names_are_kept_small_and_the_index_names_every_file(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    hostile_trace(made)
    files = memory.files(findings())
    assert files_of(files[INDEX]) == set(files) - {INDEX}
    assert all(len(content.encode()) <= BUDGET_BYTES for content in files.values())
    for each in json.loads(files[INDEX])["read"]:
        assert {each["file"], *each["further_files"]} <= set(files)


def test_an_empty_trace(findings: Callable[[], Findings]) -> None:
    files = read(memory.files(findings()))
    assert all(document["entries"] == [] for name, document in files.items() if name != INDEX)
