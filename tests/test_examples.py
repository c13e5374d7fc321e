"""The shop without brokers: a real run, held against what its scenario says must happen."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from integration.shop_program import REPOSITORY, Entry, ShopRun, environment, run_shop

USERS = 10
ORDERS = 30
UNAVAILABLE = 3
"""Orders with an article that is sold out."""
DECLINED = 3
FAILED = 2
"""Orders whose payment found no answer in three attempts."""
CANCELLED = UNAVAILABLE + DECLINED + FAILED
CONFIRMED = ORDERS - CANCELLED
RESERVED = ORDERS - UNAVAILABLE
STATUSES = ORDERS + RESERVED + ORDERS
"""Placed, reserved, and confirmed or cancelled."""
SUBSCRIBERS = USERS + 1
"""The customers and the back office, which hears every status too."""

WEB = {
    Entry("web", "receive", "http", "POST /api/register"): USERS + 1,
    Entry("web", "receive", "http", "POST /api/orders"): ORDERS + 1,
    Entry("web", "receive", "http", "GET /api/orders/{order_id}"): ORDERS,
    Entry("web", "receive", "http", "PUT /api/prices/{sku}"): 3,
    Entry("web", "send", "pyee", "user.registered"): USERS,
    Entry("web", "receive", "pyee", "user.registered"): 2 * USERS,
    Entry("web", "send", "pyee", "order.placed"): ORDERS,
    Entry("web", "receive", "pyee", "order.placed"): 3 * ORDERS,
    Entry("web", "send", "pyee", "inventory.reserved"): RESERVED,
    Entry("web", "receive", "pyee", "inventory.reserved"): 2 * RESERVED,
    Entry("web", "send", "pyee", "inventory.rejected"): UNAVAILABLE,
    Entry("web", "receive", "pyee", "inventory.rejected"): UNAVAILABLE,
    Entry("web", "send", "pyee", "stock.low"): 4,
    Entry("web", "receive", "pyee", "stock.low"): 4,
    Entry("web", "send", "pyee", "payment.charged"): CONFIRMED,
    Entry("web", "receive", "pyee", "payment.charged"): CONFIRMED,
    Entry("web", "send", "pyee", "payment.declined"): DECLINED,
    Entry("web", "receive", "pyee", "payment.declined"): DECLINED,
    Entry("web", "send", "pyee", "payment.failed"): FAILED,
    Entry("web", "receive", "pyee", "payment.failed"): FAILED,
    Entry("web", "send", "pyee", "order.confirmed"): CONFIRMED,
    Entry("web", "receive", "pyee", "order.confirmed"): 2 * CONFIRMED,
    Entry("web", "send", "pyee", "order.cancelled"): CANCELLED,
    Entry("web", "receive", "pyee", "order.cancelled"): 2 * CANCELLED,
    Entry("web", "send", "pyee", "price.changed"): 3,
    Entry("web", "receive", "pyee", "price.changed"): 3,
    Entry("web", "receive", "pyee", "error"): 2,
    Entry("web", "send", "websocket", "/publish", "order.status"): STATUSES,
    Entry("web", "receive", "websocket", "/publish", "ack"): STATUSES,
}
NOTIFIER = {
    Entry("notifier", "receive", "websocket", "/publish", "order.status"): STATUSES,
    Entry("notifier", "send", "websocket", "/publish", "ack"): STATUSES,
    Entry("notifier", "send", "blinker", "status-received"): STATUSES,
    Entry("notifier", "receive", "blinker", "status-received"): 2 * STATUSES,
    Entry("notifier", "send", "websocket", "/feed", "order.status"): 2 * STATUSES,
    Entry("notifier", "receive", "websocket", "/feed", "received"): 2 * STATUSES,
    Entry("notifier", "send", "blinker", "delivery-confirmed"): 2 * STATUSES,
    Entry("notifier", "receive", "blinker", "delivery-confirmed"): 2 * STATUSES,
    Entry("notifier", "receive", "websocket", "/feed", "subscribe"): SUBSCRIBERS,
    Entry("notifier", "send", "blinker", "subscriber-joined"): SUBSCRIBERS,
    Entry("notifier", "receive", "blinker", "subscriber-joined"): SUBSCRIBERS,
    Entry("notifier", "receive", "websocket", "/feed", "unsubscribe"): SUBSCRIBERS,
    Entry("notifier", "send", "blinker", "subscriber-left"): SUBSCRIBERS,
    Entry("notifier", "receive", "blinker", "subscriber-left"): SUBSCRIBERS,
    Entry("notifier", "send", "websocket", "/feed", "ack"): 2 * SUBSCRIBERS,
    Entry("notifier", "receive", "websocket", "/feed", "rewind"): 1,
    Entry("notifier", "send", "websocket", "/feed", "error"): 1,
}
CUSTOMERS = {
    Entry("customers", "send", "http", "POST /api/register"): USERS + 1,
    Entry("customers", "send", "http", "POST /api/orders"): ORDERS + 1,
    Entry("customers", "send", "http", "GET /api/orders/{order_id}"): ORDERS,
    Entry("customers", "send", "http", "PUT /api/prices/{sku}"): 3,
    Entry("customers", "send", "websocket", "/feed", "subscribe"): SUBSCRIBERS,
    Entry("customers", "send", "websocket", "/feed", "unsubscribe"): SUBSCRIBERS,
    Entry("customers", "receive", "websocket", "/feed", "ack"): 2 * SUBSCRIBERS,
    Entry("customers", "receive", "websocket", "/feed", "order.status"): 2 * STATUSES,
    Entry("customers", "send", "websocket", "/feed", "received"): 2 * STATUSES,
    Entry("customers", "send", "websocket", "/feed", "rewind"): 1,
    Entry("customers", "receive", "websocket", "/feed", "error"): 1,
}


@pytest.fixture(scope="module")
def by_path(tmp_path_factory: pytest.TempPathFactory) -> ShopRun:
    return run_shop(tmp_path_factory.mktemp("shop") / "ledger.json", "examples/shop/__main__.py")


def test_shop_ends_well_and_prints_little(by_path: ShopRun) -> None:
    assert (by_path.exit_code, by_path.stderr) == (0, "")
    assert f"{USERS} customers placed {ORDERS} orders" in by_path.stdout
    assert len(by_path.stdout.splitlines()) == 4


def test_every_message_of_the_scenario_is_in_the_ledger(by_path: ShopRun) -> None:
    assert by_path.ledger == WEB | NOTIFIER | CUSTOMERS


def test_shop_as_a_module_does_the_same(by_path: ShopRun, tmp_path: Path) -> None:
    again = run_shop(tmp_path / "ledger.json", "-m", "shop", cwd=REPOSITORY / "examples")
    assert (again.exit_code, again.stderr) == (0, "")
    assert again.ledger == by_path.ledger


def test_no_file_of_the_shop_knows_of_being_recorded() -> None:
    sources = list((REPOSITORY / "examples/shop").rglob("*.py"))
    assert sources
    assert [source.name for source in sources if "msgtrace" in source.read_text("utf-8")] == []


@pytest.mark.parametrize("processes", [1, 3], ids=["starting", "serving"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_shop_stops_its_services(number: signal.Signals, processes: int) -> None:
    with subprocess.Popen(
        [sys.executable, "examples/shop"],
        cwd=REPOSITORY,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as shop:
        services = _wait_for_children(shop.pid, processes)
        shop.send_signal(number)
        _, stderr = shop.communicate(timeout=60)
    assert (shop.returncode, stderr) == (128 + number, "shop: stopping\n")
    assert [pid for pid in services if _runs(pid)] == []


def test_services_do_not_outlive_a_killed_shop() -> None:
    with subprocess.Popen(
        [sys.executable, "examples/shop"],
        cwd=REPOSITORY,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as shop:
        services = _wait_for_children(shop.pid, 3)
        shop.kill()
    deadline = time.monotonic() + 30
    while any(_runs(pid) for pid in services):
        assert time.monotonic() < deadline, "a service has outlived the shop that started it"
        time.sleep(0.05)


def test_a_missing_broker_is_one_line_for_the_user(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    run = run_shop(tmp_path / "ledger.json", SHOP_REDIS=f"redis://user:hidden@127.0.0.1:{port}/0")
    assert run.exit_code == 1
    assert run.stderr.splitlines() == [
        f"shop: nothing answers at 127.0.0.1:{port}. Start a broker there, or set SHOP_REDIS to where it is."
    ]


def _wait_for_children(pid: int, count: int) -> list[int]:
    """The processes that `pid` has started, as soon as there are `count`."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    deadline = time.monotonic() + 30
    while len(found := children.read_text("ascii").split()) < count:
        assert time.monotonic() < deadline, f"the shop did not start {count} processes"
        time.sleep(0.01)
    return [int(child) for child in found]


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # ended, and not yet collected by whoever adopted it
