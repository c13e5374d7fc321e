"""Attaches to programs as users do: `msgtrace attach` as a process beside them; and reads what came of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from integration.traced import DEADLINE_S, Started, clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MSGTRACE = (sys.executable, "-m", "msgtrace")
REMOTE_EXEC = sys.version_info >= (3, 14)


def needs_debugger() -> None:
    """Skip the test, by name, where there is none; fail in CI, where there is to be one."""
    if REMOTE_EXEC or shutil.which("gdb"):
        return
    if os.environ.get("CI") == "true":
        pytest.fail("no gdb to attach with: python -m integration.debugger", pytrace=False)
    pytest.skip("no gdb to attach with: python -m integration.debugger")


def attach(folder: Path, *options: str) -> Started:
    """`msgtrace attach`, running; its words are in `errors`."""
    trace = folder / "trace.duckdb"
    return Started([*MSGTRACE, "attach", "--db", str(trace), *options], folder, traced=False)


def told(*words: str) -> subprocess.CompletedProcess[str]:
    """Another command of msgtrace's, to its end."""
    return subprocess.run(
        [*MSGTRACE, *words], env=clean_environment(), text=True, capture_output=True, timeout=DEADLINE_S, check=False
    )


def costs_ms(lines: Sequence[str]) -> list[tuple[int, int]]:
    """What attaching and detaching cost, as it was said: stopped, busy."""
    found = [re.search(r"stopped for (\d+) ms, its main thread busy with it for (\d+) ms", line) for line in lines]
    return [(int(match[1]), int(match[2])) for match in found if match]


def gaps(numbers: Sequence[Any]) -> list[int]:
    """Where a program's own numbers are not consecutive, each thread's by itself; it counts each from its million on."""
    ordered = sorted(int(number) for number in numbers)
    return [low for low, high in pairwise(ordered) if high != low + 1 and high // 1_000_000 == low // 1_000_000]
