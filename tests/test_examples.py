"""The shop without brokers: a real run, held against what its scenario says must happen."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from integration.shop_ledger import ORDERS, USERS, expected
from integration.shop_program import REPOSITORY, ShopRun, environment, run_shop


@pytest.fixture(scope="module")
def by_path(tmp_path_factory: pytest.TempPathFactory) -> ShopRun:
    return run_shop(tmp_path_factory.mktemp("shop") / "ledger.json", "examples/shop/__main__.py")


def test_shop_ends_well_and_prints_little(by_path: ShopRun) -> None:
    assert (by_path.exit_code, by_path.stderr) == (0, "")
    assert f"{USERS} customers placed {ORDERS} orders" in by_path.stdout
    assert len(by_path.stdout.splitlines()) == 4


def test_every_message_of_the_scenario_is_in_the_ledger(by_path: ShopRun) -> None:
    assert by_path.ledger == expected()


def test_shop_as_a_module_does_the_same(by_path: ShopRun, tmp_path: Path) -> None:
    again = run_shop(tmp_path / "ledger.json", "-m", "shop", folder="examples")
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


def test_a_lost_service_is_told_and_the_others_are_stopped() -> None:
    with subprocess.Popen(
        [sys.executable, "examples/shop"],
        cwd=REPOSITORY,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as shop:
        notifier, *others = _wait_for_children(shop.pid, 3)
        os.kill(notifier, signal.SIGKILL)
        _, stderr = shop.communicate(timeout=60)
    assert shop.returncode == 1
    assert "shop: notifier ended too early." in stderr
    assert f"shop: notifier ended with code -{signal.SIGKILL:d}." in stderr
    assert "Traceback" not in stderr
    assert [pid for pid in others if _runs(pid)] == []


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
