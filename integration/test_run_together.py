"""Several `msgtrace run`s into one trace at once, as of services that are started one in each terminal."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.traced import DEADLINE_S, PROGRAMS, Started, run
from msgtrace.recording_file import is_recorded, recording_of

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNALLED = [sys.executable, str(PROGRAMS / "run" / "signalled.py")]
BY_SERVICE = "select service, count(*) as n from operations where kind = 'send' group by all order by all"


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def started(service: str, folder: Path, *options: str) -> Started:
    program = Started(SIGNALLED, folder, options=("--service", service, *options))
    program.wait_for("ready")
    return program


def signalled(program: Started, count: int) -> None:
    for number in range(1, count + 1):
        program.process.send_signal(signal.SIGUSR1)
        program.wait_for("SIGUSR1", count=number)


def spool_of(folder: Path) -> Path:
    recording = recording_of(folder / "trace.duckdb")
    assert recording is not None
    return Path(recording.spool)


@pytest.mark.parametrize("first_to_end", [0, 1], ids=["who has the collector ends first", "who shares it ends first"])
def test_both_are_recorded_to_their_ends(first_to_end: int, tmp_path: Path) -> None:
    with started("one", tmp_path) as one, started("two", tmp_path) as two:
        spool = spool_of(tmp_path)
        both = (one, two)
        signalled(both[first_to_end], 2)
        assert both[first_to_end].end(signal.SIGTERM).code == 42
        signalled(both[1 - first_to_end], 3)
        ended = both[1 - first_to_end].end(signal.SIGTERM)
        assert (ended.code, ended.stderr) == (42, "")
        until(lambda: not is_recorded(ended.trace) and not spool.exists())
    sent = {"one": 3, "two": 4} if first_to_end == 0 else {"one": 4, "two": 3}
    assert {row["service"]: row["n"] for row in ended.rows(BY_SERVICE)} == sent
    assert ended.values("select coalesce(sum(lost), 0) from losses") == [0]


def test_a_third_comes_after_the_first_has_gone(tmp_path: Path) -> None:
    with started("one", tmp_path) as one, started("two", tmp_path) as two:
        one.end(signal.SIGTERM)
        with started("three", tmp_path) as three:
            two.end(signal.SIGTERM)
            signalled(three, 2)
            ended = three.end(signal.SIGTERM)
        until(lambda: not is_recorded(ended.trace))
    assert ended.rows(BY_SERVICE) == [
        {"service": "one", "n": 1},
        {"service": "three", "n": 3},
        {"service": "two", "n": 1},
    ]


def test_whoever_is_left_stores_what_a_killed_collector_has_not(tmp_path: Path) -> None:
    with started("one", tmp_path) as one, started("two", tmp_path) as two:
        recording, spool = recording_of(tmp_path / "trace.duckdb"), spool_of(tmp_path)
        assert recording is not None
        os.kill(one.process.pid, signal.SIGKILL)
        os.kill(recording.pid, signal.SIGKILL)
        until(lambda: not is_recorded(tmp_path / "trace.duckdb"))
        signalled(two, 3)
        os.kill(int(one.lines[0].split()[1]), signal.SIGTERM)  # its program has gone on
        one.wait_for("SIGTERM")
        until(lambda: not Path(f"/proc/{one.lines[0].split()[1]}").exists())
        ended = two.end(signal.SIGTERM)
    assert (ended.code, ended.stderr) == (42, "")
    assert ended.rows(BY_SERVICE) == [{"service": "one", "n": 1}, {"service": "two", "n": 4}]
    assert not spool.exists()


@pytest.mark.parametrize("options", [("--redact", "name:nickname"), ("--max-size", "1GB"), ("--max-age", "1h")])
def test_on_other_terms_nothing_is_started(options: tuple[str, str], tmp_path: Path) -> None:
    with started("one", tmp_path) as one:
        refused = run([sys.executable, "-c", "print('started')"], tmp_path, options=options)
        assert (refused.code, refused.stdout) == (1, "")
        assert refused.stderr.count("\n") == 1
        assert "another msgtrace" in refused.stderr
        assert "--db" in refused.stderr
        assert one.end(signal.SIGTERM).code == 42


def test_nothing_is_recorded_into_a_folder_that_others_can_read(tmp_path: Path) -> None:
    """As who may write beside a trace could name it, with a lock of his own."""
    with started("one", tmp_path) as one:
        spool = spool_of(tmp_path)
        spool.chmod(0o755)
        refused = run([sys.executable, "-c", "print('started')"], tmp_path)
        assert (refused.code, refused.stdout) == (1, "")
        assert "another collector" in refused.stderr
        spool.chmod(0o700)
        assert one.end(signal.SIGTERM).code == 42


def test_a_summary_is_of_the_whole_trace_so_far(tmp_path: Path) -> None:
    with started("one", tmp_path) as one:
        signalled(one, 2)
        ended = run([sys.executable, str(PROGRAMS / "run" / "emitting.py")], tmp_path, options=())
        assert ended.said[0].startswith("msgtrace: 6 operations in 2 processes of 2 services: ")
        assert one.end(signal.SIGTERM).code == 42
