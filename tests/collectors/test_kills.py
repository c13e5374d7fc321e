"""A collector killed at any instant loses nothing and stores nothing twice; so does a program."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from msgtrace_collectors.trace import open_trace
from tests.collectors.conftest import rows

if TYPE_CHECKING:
    from tests.collectors.conftest import CollectorProcess

WRITER = str(Path(__file__).with_name("writing_program.py"))
OPERATIONS = 80_000


def writer(spool: Path, count: int = OPERATIONS) -> subprocess.Popen[str]:
    """A program that records `count` operations with the real recorder and then says how many it did."""
    return subprocess.Popen([sys.executable, WRITER, str(spool), str(count)], stdout=subprocess.PIPE, text=True)


def kill_often(collector: CollectorProcess, times: int, seed: int) -> None:
    """Record with two programs while the collector is killed again and again; hold the trace against what they did."""
    chance = random.Random(seed)
    collector.start()
    count = OPERATIONS * max(1, times // 40)
    programs = [writer(collector.spool, count), writer(collector.spool, count)]
    for _ in range(times):
        time.sleep(chance.uniform(0.0, 0.4))
        collector.end(signal.SIGKILL)
        collector.start()
    written = [int(program.communicate(timeout=240)[0]) for program in programs]
    assert collector.end() == (0, "")
    found = rows(
        collector.db,
        """
        select
            process_id, count(*) as n, count(distinct sequence) as sequences, count(*) filter (outcome = 'ok') as completed,
            count(*) filter (body_json ->> '$.n' = cast(sequence as varchar)) as right_bodies
        from operations
        group by process_id
        """,
    )
    assert sorted(row["n"] for row in found) == sorted(written)
    for row in found:
        assert row["n"] == row["sequences"] == row["completed"] == row["right_bodies"]
    # The writer waits for room and tries again; the attempts that found none were counted as the recorder counts them.
    assert rows(collector.db, "select reason, detail, lost from losses where reason <> 'dropped'") == []
    assert not list(collector.spool.glob("*/"))


def test_a_collector_killed_again_and_again(collector: CollectorProcess) -> None:
    kill_often(collector, 15, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_collector_killed_two_hundred_times(collector: CollectorProcess) -> None:
    kill_often(collector, 200, seed=2)


def test_a_program_killed_in_the_middle(collector: CollectorProcess) -> None:
    collector.start()
    program = writer(collector.spool, 10_000_000)
    time.sleep(1)
    program.kill()
    program.communicate()
    assert collector.end() == (0, "")
    (row,) = rows(collector.db, "select count(*) as n, max(sequence) - min(sequence) + 1 as span from operations")
    assert row["n"] == row["span"] > 0
    (row,) = rows(collector.db, "select count(*) as n from operations where outcome = 'unknown'")
    assert row["n"] <= 1, "at most the operation that it was killed in"


def test_a_trace_of_a_killed_collector_is_readable_and_goes_on(collector: CollectorProcess) -> None:
    collector.start()
    program = writer(collector.spool)
    time.sleep(1)
    collector.end(signal.SIGKILL)
    with open_trace(collector.db) as trace:
        assert not trace.recording
        before = trace.query("select count(*) as n from operations").to_pylist()[0]["n"]
    collector.start()
    count = int(program.communicate(timeout=120)[0])
    assert collector.end() == (0, "")
    assert rows(collector.db, "select count(*) as n from operations") == [{"n": count}]
    assert before <= count
