"""The report on the example shop, held against what the shop itself says that it sent and received."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.shop_ledger import ORDERS, PRICES, USERS, Entry, read_ledger
from integration.shop_program import REPOSITORY, environment
from tests.analysis.test_event_flows import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

EMITTED_BY_PYEE = Entry("web", "send", "pyee", "error")
"""The shop does not count this: pyee emits it for a listener that failed."""


class Reported:
    """A run of the shop: its ledger, and the documents about it."""

    def __init__(self, folder: Path) -> None:
        command = [
            str(Path(sys.executable).with_name("msgtrace")), "run", "--quiet", "--db", str(folder / "trace.duckdb"), "--",
            sys.executable, "examples/shop",
        ]  # fmt: skip
        ledger = folder / "ledger.json"
        subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment(SHOP_LEDGER=str(ledger)),
            check=True,
            timeout=120,
            stdout=subprocess.DEVNULL,
        )
        for name in ("first", "second"):
            subprocess.run(
                [command[0], "report", "--db", str(folder / "trace.duckdb"), "--out", str(folder / name)],
                check=True, timeout=120, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONHASHSEED": str(len(name))},
            )  # fmt: skip
        self.folder = folder
        self.ledger = read_ledger(ledger)
        self.flows: Any = json.loads((folder / "first" / "EVENT_FLOWS.json").read_text())
        self.guide = (folder / "first" / "MESSAGING_GUIDE.md").read_text()

    def counted(self) -> Iterator[tuple[Entry, int]]:
        """The catalogue in the ledger's words."""
        for event in self.flows["event_catalog"]:
            bus = event["channel_kind"] == "bus"
            channel, detail = (event["name"], "") if bus else (event["channel"], event["name"])
            for side, operation in (("producers", "send"), ("consumers", "receive")):
                for party in event[side]:
                    service = party["service"].removeprefix("shop.")
                    yield Entry(service, operation, event["system"], channel, detail), party["evidence"]["operations"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    return Reported(tmp_path_factory.mktemp("shop"))


def test_the_catalogue_is_the_ledger(shop: Reported) -> None:
    counted: dict[Entry, int] = {}
    for entry, count in shop.counted():
        counted[entry] = counted.get(entry, 0) + count
    assert counted.pop(EMITTED_BY_PYEE) == 2
    assert counted == {entry: count for entry, count in shop.ledger.items() if entry.system != "http"}


def test_event_flows_keeps_to_its_schema(shop: Reported) -> None:
    assert checked(json.dumps(shop.flows)) == shop.flows


def test_every_request_begins_a_flow_and_is_counted(shop: Reported) -> None:
    routes = {flow["trigger"]: flow for flow in shop.flows["flows"] if flow["trigger_place"]["kind"] == "route"}
    requests = {
        entry.channel: count
        for entry, count in shop.ledger.items()
        if entry.system == "http" and entry.operation == "receive"
    }
    assert {route: flow["triggered"] for route, flow in routes.items()} == requests
    placed = routes["POST /api/orders"]
    assert placed["without_messages"] == 1  # by somebody without an account
    followed = {(event["name"], event["while_handling"]["name"]): event for event in placed["events"]}
    assert followed["order.placed", "POST /api/orders"]["after_triggers"] == ORDERS
    assert {each["name"] for each in followed["order.placed", "POST /api/orders"]["deliveries"]} == {
        "StatusFeed.order_placed", "reserve_stock", "track_order",
    }  # fmt: skip
    assert routes["POST /api/register"]["without_messages"] == 1  # the address had an account
    assert [event["messages"] for event in routes["POST /api/register"]["events"]] == [USERS, 2]
    assert [event["after_triggers"] for event in routes["PUT /api/prices/{sku}"]["events"]] == [PRICES]


def test_schemas_say_which_fields_are_always_there(shop: Reported) -> None:
    schemas = {event["name"]: event["schema"] for event in shop.flows["event_catalog"] if event["system"] == "pyee"}
    placed = schemas["order.placed"]
    assert set(placed["properties"]) - set(placed["required"]) == {"coupon"}
    assert placed["properties"]["items"]["items"]["required"] == ["quantity", "sku", "unit_price_cents"]
    assert schemas["user.registered"]["properties"]["referrer"]["type"] == ["null", "string"]


def test_the_failures_of_the_shop_are_told(shop: Reported) -> None:
    (failure,) = shop.flows["reliability"]["failures"]
    assert (failure["place"]["name"], failure["error_type"]) == (
        "send_welcome_mail",
        "shop.web.members.MailRejectedError",
    )
    assert failure["evidence"]["operations"] == 2


def test_secrets_and_persons_are_in_no_document(shop: Reported) -> None:
    """The program's own lines, which the guide shows, have the domain, and nobody at it."""
    for text in (shop.guide, json.dumps(shop.flows)):
        assert re.search(r"[\w.+-]@bounces\.example", text) is None
        assert "tok_" not in text


def test_twice_the_same_bytes(shop: Reported) -> None:
    for name in ("MESSAGING_GUIDE.md", "EVENT_FLOWS.json"):
        assert (shop.folder / "first" / name).read_bytes() == (shop.folder / "second" / name).read_bytes()
