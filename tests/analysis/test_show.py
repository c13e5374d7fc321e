"""One event type on one screen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from msgtrace.command_line import cli
from msgtrace_analysis.commands.show import named
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.flows import flows
from msgtrace_analysis.passes.rates import frequencies
from msgtrace_analysis.renderers.card import Card, on_screen
from tests.analysis.hostile import hostile_trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from click.testing import Result

    from msgtrace_analysis.study import Study
    from tests.analysis.made_trace import MadeTrace


def show(db: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["show", "--db", str(db), *arguments])


@pytest.fixture
def db(made: MadeTrace) -> Path:
    """A flow of two messages, one type of them on two channels."""
    for number in range(20):
        trigger = made.operation(
            "trigger", "http", service="web", channel="/orders", channel_kind="route", routing_key="POST",
            after_ns=1_000_000_000,
        )  # fmt: skip
        placed = made.send(
            service="web", channel="orders", channel_kind="topic", event_type="order.placed",
            body={"order_id": number, "total": 12.5} | ({"note": "x"} if number % 2 else {}), site="/app/web.py:7 place",
        )  # fmt: skip
        made.cause(trigger, placed)
        taken = made.receive(
            placed,
            service="mail",
            channel="orders",
            channel_kind="topic",
            consumer_group="g",
            handler="/app/mail.py:9 on_order",
        )
        made.cause(taken, made.send(service="mail", channel="mails", channel_kind="topic", event_type="send_mail"))
    made.send(
        channel="audit",
        channel_kind="stream",
        system="redis",
        event_type="order.placed",
        body={"order_id": 1, "total": 1},
    )
    made.write()
    return made.path


def test_everything_is_on_the_screen(db: Path) -> None:
    done = show(db, "rabbitmq/topic/orders/order.placed")
    assert done.exit_code == 0, done.output
    for piece in (
        "order.placed\n", "rabbitmq topic orders", "redis/stream/audit/order.placed", "integration event (likely)",
        "type property (exact)", "20 sent, 20 received", "a second (95%", "read from a trace of 19",
        "web      place     web.py:7", "mail     on_order  mail.py:9", "from 20 samples (likely)", "10 of 20", "always", "12.5",
        "web: POST /orders", "send_mail", "msgtrace follow 1000000000002",
    ):  # fmt: skip
        assert piece in done.stdout, piece


def test_a_type_on_two_channels_is_shown_twice_and_json_has_it_all(db: Path) -> None:
    cards = json.loads(show(db, "order.placed", "--format", "json").stdout)
    assert [card["channel"] for card in cards] == ["orders", "audit"]
    assert cards[0]["rate"]["messages"] == 20
    assert cards[0]["flows"][0]["trigger"] == "POST /orders"
    assert cards[0]["schema"]["required"] == ["order_id", "total"]


@pytest.mark.parametrize(
    ("word", "many"), [("order.*", 2), ("send", 1), ("MAIL", 1), ("redis/stream/audit/order.placed", 1)]
)
def test_a_pattern_or_a_part_of_a_name_will_do(db: Path, word: str, many: int) -> None:
    assert len(json.loads(show(db, word, "--format", "json").stdout)) == many


def test_a_name_that_is_not_there_is_told_with_those_that_are_near(db: Path) -> None:
    done = show(db, "order.plced")
    assert done.exit_code == 1
    assert "order.placed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_no_name_breaks_the_screen(
    made: MadeTrace, study: Callable[[], AbstractContextManager[Study]], columns: int
) -> None:
    hostile_trace(made)
    with study() as known:
        events, rates, moved = catalogue(known, 1), frequencies(known), flows(known)
    for event in events:
        chosen = tuple(flow for flow in moved if any(step.event == event.ref for step in flow.steps))
        rate = next(each for each in rates.of("event") if each.subject == event.ref)
        text = on_screen(Card(event, None, rate, rates.backlogs, chosen, rates.note), terminal=False, columns=columns)
        assert not {"\x1b", "\x00", "\r", "\u202e"} & set(text)
        assert all(len(line) <= columns for line in text.splitlines())
        assert named(events, event.ref) == [event]
