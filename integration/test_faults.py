"""A program that is killed: every operation that returned to it is recorded, and what was cut short is there as unknown."""

from __future__ import annotations

import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.recorded import read
from msgtrace.commands.target import environment
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.recorded import Operation

PROGRAM = Path(__file__).parent / "programs" / "faults" / "endless.py"
SLOTS = 4


@pytest.fixture
def memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="msgtrace-test-", dir="/dev/shm") as folder:
        yield Path(folder)


def killed_at_random(folder: Path, rng: random.Random, *arguments: str) -> tuple[list[int], list[Operation]]:
    """Run the program, kill it while it sends, and read what it counted and what was recorded."""
    spool = folder / "spool"
    spool.mkdir()
    counter = folder / "counter"
    counter.write_bytes(bytes(8 * SLOTS))
    # Room for everything: nobody collects here, and a full pool is another test's business.
    variables = environment(Settings(spool_limit=1 << 30), spool)
    process = subprocess.Popen([sys.executable, PROGRAM, counter, *arguments], env=variables)
    try:
        with (
            counter.open("r+b") as file,
            mmap.mmap(file.fileno(), 0) as mapped,
            memoryview(mapped) as view,
            view.cast("Q") as counts,
        ):
            deadline = time.monotonic() + 30
            while not counts[0]:
                assert process.poll() is None, "the program ended by itself"
                assert time.monotonic() < deadline, "the program sent nothing"
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.1))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            returned = list(counts)
    finally:
        process.kill()
        process.wait()
    operations = read(spool).operations
    shutil.rmtree(spool)
    return returned, operations


def holds(returned: list[int], operations: list[Operation]) -> None:
    """Each thread's sends: all that returned, in order and complete; at most one more, which is unknown or just done."""
    sends: dict[int, list[Operation]] = defaultdict(list)
    for operation in operations:
        if operation.kind == "send":
            slot = operation["data"]["slot"] if operation["data"] is not None else 0
            sends[slot].append(operation)
    for slot, count in enumerate(returned):
        mine = sends[slot]
        assert count <= len(mine) <= count + 1
        assert all(operation.outcome == "ok" for operation in mine[:count])
        assert all(operation.outcome in {"unknown", "ok"} for operation in mine[count:])
        numbers = [o["data"]["n"] if o["data"] is not None else int(o["body"]) for o in mine]
        assert numbers == list(range(len(mine)))


@pytest.mark.parametrize("kind", ["bus", "threads"])
def test_killed_program_loses_nothing_that_returned(memory: Path, kind: str) -> None:
    for seed in range(8):
        holds(*killed_at_random(memory, random.Random(seed), kind))


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["bus", "threads"])
def test_killed_program_loses_nothing_that_returned_200_times(memory: Path, kind: str) -> None:
    for seed in range(200):
        holds(*killed_at_random(memory, random.Random(1_000 + seed), kind))


@pytest.mark.redis
def test_program_killed_while_it_publishes_loses_nothing_that_returned(memory: Path, redis_server: object) -> None:
    for seed in range(8):
        holds(*killed_at_random(memory, random.Random(seed), "redis", redis_server.url))  # type: ignore[attr-defined]


@pytest.mark.soak
@pytest.mark.redis
def test_program_killed_while_it_publishes_200_times(memory: Path, redis_server: object) -> None:
    for seed in range(200):
        holds(*killed_at_random(memory, random.Random(1_000 + seed), "redis", redis_server.url))  # type: ignore[attr-defined]
