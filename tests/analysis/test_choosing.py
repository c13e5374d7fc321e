"""What is chosen by service, channel, event and time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from msgtrace.command_line import cli
from msgtrace_analysis.commands.choosing import Since, since_option
from tests.analysis.hostile import NAMES, hostile_trace
from tests.analysis.made_trace import START_NS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.analysis.made_trace import MadeTrace

SECOND = 1_000_000_000


def names(db: Path, *arguments: str, command: str = "events", column: str = "event") -> list[str]:
    done = CliRunner().invoke(cli, [command, "--db", str(db), "--format", "json", *arguments])
    assert done.exit_code == 0, done.output
    return [row[column] for row in json.loads(done.stdout)]


@pytest.fixture
def db(made: MadeTrace) -> Path:
    """Two services and three event types, a minute apart."""
    for event, channel, receiver in (
        ("order.placed", "orders", "mail"), ("order.paid", "orders", "books"), ("price.set", "prices", "mail"),
    ):  # fmt: skip
        trigger = made.operation(
            "trigger", "http", service="web", channel=f"/{event}", channel_kind="route", after_ns=60 * SECOND
        )
        send = made.send(service="web", channel=channel, channel_kind="topic", event_type=event, body={"id": 1})
        made.cause(trigger, send)
        made.receive(send, service=receiver, channel=channel, channel_kind="topic", consumer_group="g")
    made.write()
    return made.path


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {"order.placed", "order.paid", "price.set"}),
        (["--event", "order.*"], {"order.placed", "order.paid"}),
        (["--event", "order.paid", "--event", "price.set"], {"order.paid", "price.set"}),
        (["--channel", "prices"], {"price.set"}),
        (["--service", "mail"], {"order.placed", "price.set"}),
        (["--service", "mail", "--channel", "orders"], {"order.placed"}),
        (["--service", "web"], {"order.placed", "order.paid", "price.set"}),
        (["--since", "61s"], {"order.paid", "price.set"}),
        (["--since", "2023-11-14T22:16:20"], {"price.set"}),
        (["--since", "2023-11-14T23:16:20+01:00"], {"price.set"}),
        (["--event", "nothing"], set()),
    ],
)
def test_events_flows_and_rates_choose_alike(db: Path, arguments: list[str], expected: set[str]) -> None:
    assert set(names(db, *arguments)) == expected
    assert set(names(db, *arguments, command="flows")) == expected
    assert set(names(db, *arguments, command="rates", column="name")) == expected
    assert set(names(db, "--of", "backlog", *arguments, command="rates", column="name")) == expected


def test_rates_of_services_channels_and_edges(db: Path) -> None:
    assert names(db, "--of", "service", command="rates", column="name") == ["web", "mail", "books"]
    assert names(db, "--of", "service", "--service", "mail", command="rates", column="name") == ["mail"]
    assert names(db, "--of", "channel", "--event", "price.set", command="rates", column="name") == ["prices"]
    assert names(db, "--of", "edge", "--event", "price.set", command="rates", column="on") == ["web to mail"]


def test_diagrams_hold_what_is_chosen(db: Path) -> None:
    for command in ("events", "flows"):
        done = CliRunner().invoke(cli, [command, "--db", str(db), "--format", "mermaid", "--event", "price.set"])
        assert "```mermaid\nflowchart LR\n" in done.stdout
        assert "price.set" in done.stdout
        assert "order" not in done.stdout


def test_since_is_a_time_or_a_while_before_the_end() -> None:
    assert Since(None, 10).begin_ns(START_NS) == START_NS - 10
    assert Since(5, None).begin_ns(START_NS) == 5
    assert callable(since_option)


@pytest.mark.parametrize("form", ["table", "json", "csv", "mermaid"])
def test_any_name_can_be_chosen_and_shown(made: MadeTrace, form: str) -> None:
    hostile_trace(made)
    made.write()
    for name in NAMES[9:20:5]:
        chosen = ["--event", name.replace("\x00", "?"), "--service", "*"]
        for command in ("events", "flows", "rates"):
            if command == "rates" and form == "mermaid":
                continue
            done = CliRunner().invoke(cli, [command, "--db", str(made.path), "--format", form, *chosen])
            assert done.exit_code == 0, done.output
            # CSV is for programs, which get names as they are.
            assert form == "csv" or not {"\x1b", "\x00"} & set(done.stdout)
