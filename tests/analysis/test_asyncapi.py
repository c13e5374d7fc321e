"""AsyncAPI documents are read by AsyncAPI's own parser, and say what was observed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.command_line import cli
from msgtrace_analysis.renderers.asyncapi import MARKS, document, each_service, render, services
from msgtrace_analysis.renderers.asyncapi.names import Keys, addressed, parameters_in
from tests.analysis.hostile import hostile_trace
from tests.analysis.javascript import told_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

TREE = {"name": "a", "children": [{"name": "b", "children": []}]}


def shop(made: MadeTrace) -> None:
    made.operation(
        "declare", service="web", channel="orders", channel_kind="exchange",
        settings={"action": "declare", "exchange_type": "topic", "durable": True, "auto_delete": False},
    )  # fmt: skip
    made.operation(
        "declare", service="mail", channel="mail.orders", channel_kind="queue",
        settings={"action": "declare", "durable": True, "arguments": {"x-dead-letter-exchange": "dead"}},
    )  # fmt: skip
    for number in range(60):
        send = made.send(
            service="web", channel="orders", channel_kind="exchange", routing_key=f"order.{number:032x}.placed",
            event_type="order.placed", body={"id": number, "state": ["new", "paid"][number % 2], "tree": TREE},
            headers={"source": "web"} | ({"retry": number} if number % 2 else {}), correlation_id=f"c{number}",
        )  # fmt: skip
        made.receive(
            send, service="mail", channel="mail.orders", channel_kind="queue", handler="/app/mail.py:1 on_order"
        )
    sent = made.send(system="kafka", service="web", channel="audit", channel_kind="topic", body={"what": "login"})
    made.receive(sent, system="kafka", service="log", channel="audit", channel_kind="topic", consumer_group="loggers")
    made.send(system="pyee", service="web", channel="bus", channel_kind="bus", routing_key="tick", body={})


def asyncapi_says(*documents: Any) -> list[Any]:
    return told_by("asyncapi_parser.mjs", [render(each) for each in documents])


def all_of(found: Findings) -> list[Any]:
    return [document(found), *(document(found, service) for service in services(found))]


def test_what_was_observed(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    shop(made)
    found = findings()
    assert services(found) == ["log", "mail", "web"]
    written = document(found)
    operations = {(each["action"], each["tags"][0]["name"]): each for each in written["operations"].values()}
    assert set(operations) == {("send", "web"), ("receive", "mail"), ("receive", "log")}
    channels = written["channels"]
    exchange = next(each for each in channels.values() if each["x-kind"] == "exchange")
    assert exchange["bindings"]["amqp"]["exchange"] == {
        "name": "orders", "type": "topic", "durable": True, "autoDelete": False,
    }  # fmt: skip
    assert set(exchange["parameters"]) == set(parameters_in(exchange["address"])) != set()
    queue = next(each for each in channels.values() if each["x-kind"] == "queue")
    assert queue["address"] == "mail.orders"
    assert queue["x-dead-letter"] == [{"exchange": "dead"}]
    topic = next(each for each in channels.values() if each["x-kind"] == "topic")
    assert topic["bindings"]["kafka"]["topic"] == "audit"
    assert operations["receive", "log"]["bindings"]["kafka"]["groupId"]["enum"] == ["loggers"]
    assert operations["receive", "mail"]["x-code"] == ["mail.py:1 on_order"]
    order = written["components"]["messages"]["order.placed"]
    assert order["headers"]["required"] == ["source", "correlation_id"]
    assert set(order["headers"]["properties"]) == {"source", "retry", "correlation_id"}
    assert order["correlationId"] == {"location": "$message.header#/correlation_id"}
    assert order["payload"]["required"] == ["id", "state", "tree"]
    assert order["payload"]["x-samples"] == 60


def test_a_service_says_only_its_own(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    shop(made)
    written = document(findings(), "mail")
    assert [each["x-kind"] for each in written["channels"].values()] == ["queue"]
    assert list(written["components"]["messages"]) == ["order.placed"]


def test_asyncapi_reads_it(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    shop(made)
    answers = asyncapi_says(*all_of(findings()))
    assert [(each["version"], each["operations"], each["errors"]) for each in answers] == [
        ("3.1.0", 4, []), ("3.1.0", 1, []), ("3.1.0", 1, []), ("3.1.0", 2, []),
    ]  # fmt: skip


def test_asyncapi_reads_hostile_names(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    documents = all_of(findings())
    assert [each["errors"] for each in asyncapi_says(*documents)] == [[]] * len(documents)


def test_asyncapi_reads_an_empty_trace(findings: Callable[[], Findings]) -> None:
    assert asyncapi_says(document(findings())) == [{"version": "3.1.0", "operations": 0, "errors": []}]


def test_the_parser_does_refuse(findings: Callable[[], Findings]) -> None:
    (answer,) = asyncapi_says(document(findings()) | {"channels": 1})
    assert answer["errors"]


@pytest.mark.parametrize("text", ["\ud800", "a: b\n- c", "\x00\x1b", "*x", "null", "\u2028"])
def test_any_text_is_written_and_read_again(text: str) -> None:
    read = yaml.safe_load(render({"a": text, text: [text]}))
    kept = text.encode("utf-8", "backslashreplace").decode()
    assert read == {"a": kept, kept: [kept]}


@given(st.lists(st.text(max_size=8), unique=True))
def test_keys_are_distinct_and_stay(names: list[str]) -> None:
    keys = Keys()
    made = [keys.key(name, name) for name in names]
    assert len(set(made)) == len(names)
    assert [keys.key(name, "other") for name in names] == made


@given(st.text("{}ab.", max_size=20))
def test_braces_stand_around_parameters_only(text: str) -> None:
    written = addressed(text, frozenset({"a"}))
    assert set(parameters_in(written)) <= {"a"}
    assert set(written.replace("{a}", "")) & set("{}") == set()
    assert written.replace("%7B", "{").replace("%7D", "}") == text


def test_files_have_names_of_their_own(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for service in ("a/b", "a b", "..", "a_b"):
        made.send(service=service, channel="orders", channel_kind="queue", body={})
    written = each_service(findings())
    assert [re.sub("-[0-9a-f]{12}", "-DIGEST", name) for name in written] == [
        "unnamed-DIGEST.yaml", "a-b-DIGEST.yaml", "a-b-DIGEST.yaml", "a_b.yaml", "index.json",
    ]  # fmt: skip
    assert len(written) == len(set(written))
    assert all(any(mark in content[:1000] for mark in MARKS) for content in written.values())


def test_the_command_writes_one_document_or_all(made: MadeTrace, tmp_path: Path) -> None:
    shop(made)
    made.write()
    runner = CliRunner()
    one = runner.invoke(cli, ["export", "asyncapi", "--db", str(made.path), "--service", "mail"])
    assert (one.exit_code, yaml.safe_load(one.stdout)["info"]["title"]) == (0, "mail")
    unknown = runner.invoke(cli, ["export", "asyncapi", "--db", str(made.path), "--service", "nobody"])
    assert unknown.exit_code == 1
    assert "there are: log, mail, web" in unknown.output
    out = tmp_path / "out"
    both = runner.invoke(cli, ["export", "asyncapi", "--db", str(made.path), "--out", str(out)])
    assert (both.exit_code, len(both.stdout.splitlines())) == (0, 5)
    (out / "asyncapi.yaml").write_text("mine")
    assert runner.invoke(cli, ["export", "asyncapi", "--db", str(made.path), "--out", str(out)]).exit_code == 1
    assert (out / "asyncapi.yaml").read_text() == "mine"
