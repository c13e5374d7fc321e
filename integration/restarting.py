"""Runs a program twice at the same time, recorded and not, while their broker is killed and started again.

The programs (`programs/faults`) say on standard error how each operation ended, as soon as it has, and go on until their standard
input ends; then they print an account of all of it as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.brokers import native
from integration.brokers.address import Kafka
from integration.brokers.private import Private
from integration.recorded import read
from msgtrace.commands.target import environment
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from integration.recorded import Recording

PROGRAMS = Path(__file__).parent / "programs" / "faults"
DEADLINE_S = 90


def private(name: str) -> Private:
    """A broker of the test's own; the test is skipped, and fails in CI, where none can be had."""
    if reason := native.missing(name):
        if os.environ.get("CI") == "true":
            pytest.fail(f"no {name} to restart: {reason}", pytrace=False)
        pytest.skip(f"no {name} to restart: {reason}")
    return Private(name)


class Running:
    """A program in the background, and how its operations have ended so far, read by a thread so that it never waits for us."""

    def __init__(self, program: str, arguments: list[str], env: dict[str, str] | None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / f"{program}.py"), *arguments],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.strip())

    def wait_for_ok(self, count: int, after: int) -> None:
        """Until so many operations have ended well since there were `after` lines."""
        deadline = time.monotonic() + DEADLINE_S
        while self.lines[after:].count("ok") < count:
            assert self.process.poll() is None, self.lines[-30:]
            assert time.monotonic() < deadline, self.lines[-30:]
            time.sleep(0.02)

    def account(self) -> Any:
        """Tell it to stop; what it says that it did."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        said = self.process.stdout.read()
        assert self.process.wait(DEADLINE_S) == 0, self.lines[-30:]
        self._reading.join()
        return json.loads(said)

    def end(self) -> None:
        """Whatever it was at."""
        self.process.kill()
        self._reading.join()
        self.process.__exit__(None, None, None)  # closes its pipes, and waits


def through_restarts(name: str, program: str, down_s: tuple[float, ...]) -> tuple[Any, Any, Recording]:
    """Run a program while its broker is killed, is down for so many seconds, and comes back; as often as there are numbers.

    Returns:
        the accounts of the recorded program and of the one beside it without us, and what was recorded.
    """
    spool = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    programs: list[Running] = []
    try:
        with private(name) as broker:
            url = broker.address.bootstrap if isinstance(broker.address, Kafka) else broker.address.url
            programs.append(Running(program, [url, "recorded"], environment(Settings(), spool)))
            programs.append(Running(program, [url, "plain"], None))
            marks = [0, 0]
            for down in down_s:
                _all_go_on(programs, marks)
                broker.kill()
                time.sleep(down)
                marks = [len(each.lines) for each in programs]
                broker.start()
                _all_go_on(programs, marks)
                marks = [len(each.lines) for each in programs]
            recorded, plain = (each.account() for each in programs)
        return recorded, plain, read(spool)
    finally:
        for each in programs:
            each.end()
        shutil.rmtree(spool)


def _all_go_on(programs: list[Running], marks: list[int]) -> None:
    for each, mark in zip(programs, marks, strict=True):
        each.wait_for_ok(30, mark)
