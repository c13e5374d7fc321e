"""Runs examples/shop as a user would. What it should do is not known here."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from integration.shop_ledger import Entry, read_ledger

REPOSITORY = Path(__file__).resolve().parents[1]
RUN_SECONDS = 120
# kafka-python 3 reads its message schemas in the deprecated way when it is imported.
DEPRECATED = ("read_text", "open_text")
WARNINGS = ",".join(["error", *(f"ignore:{name} is deprecated:DeprecationWarning" for name in DEPRECATED)])


@dataclass(frozen=True, slots=True)
class ShopRun:
    """A run of the shop that has ended."""

    exit_code: int
    stdout: str
    stderr: str
    ledger: Mapping[Entry, int]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would configure a shop, and with `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHOP_") and name != "BROKERS"}
    return kept | variables


def run_shop(ledger: Path, *arguments: str, folder: str = ".", **variables: str) -> ShopRun:
    """Runs `python ARGUMENTS` to its end, with warnings as errors in every process of the shop.

    Raises:
        subprocess.TimeoutExpired: It did not end within RUN_SECONDS.
    """
    ended = subprocess.run(
        [sys.executable, *(arguments or ("examples/shop",))],
        cwd=REPOSITORY / folder,
        env=environment(SHOP_LEDGER=str(ledger), PYTHONWARNINGS=WARNINGS, **variables),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    return ShopRun(ended.returncode, ended.stdout, ended.stderr, read_ledger(ledger))
