"""Runs examples/shop as a user would, and reads the ledger that it writes."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RUN_SECONDS = 120


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """What one service counts under one name.

    Attributes:
        service: Which of the shop's processes.
        operation: send, receive or settle.
        system: http, pyee, blinker, websocket, rabbitmq, kafka or redis.
        channel: Exchange, queue, topic, stream, event, path or route.
        detail: The message's type; of a settlement its outcome.
    """

    service: str
    operation: str
    system: str
    channel: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ShopRun:
    """A run of the shop that has ended."""

    exit_code: int
    stdout: str
    stderr: str
    ledger: Mapping[Entry, int]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would configure a shop, and with `variables`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SHOP_") and name != "BROKERS"
    }
    return kept | variables


def run_shop(ledger: Path, *arguments: str, cwd: Path = REPOSITORY, **variables: str) -> ShopRun:
    """Runs `python ARGUMENTS` to its end, with warnings as errors in every process of the shop.

    Raises:
        subprocess.TimeoutExpired: It did not end within RUN_SECONDS.
    """
    ended = subprocess.run(
        [sys.executable, *(arguments or ("examples/shop",))],
        cwd=cwd,
        env=environment(SHOP_LEDGER=str(ledger), PYTHONWARNINGS="error", **variables),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    return ShopRun(ended.returncode, ended.stdout, ended.stderr, read_ledger(ledger))


def read_ledger(path: Path) -> dict[Entry, int]:
    """Reads the counts of all services; empty when the shop got nowhere."""
    if not path.exists():
        return {}
    return {
        Entry(service, row["operation"], row["system"], row["channel"], row["type"]): row["count"]
        for service, part in json.loads(path.read_text("utf-8")).items()
        for row in part["entries"]
    }
