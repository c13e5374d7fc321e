"""`msgtrace attach` and `detach`: running programs are recorded from then on, lose nothing, and are as they were afterwards."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.attaching import REMOTE_EXEC, attach, costs_ms, gaps, needs_debugger, told
from integration.traced import PROGRAMS, Ended, Started
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBERS = "select body_json from operations where kind = 'send' and routing_key = 'tick'"


@pytest.fixture(autouse=True)
def _debugger() -> None:
    needs_debugger()


def program(name: str, folder: Path) -> Started:
    return Started([sys.executable, str(PROGRAMS / "attach" / f"{name}.py")], folder, traced=False)


def rows(folder: Path, sql: str) -> list[Any]:
    with open_trace(folder / "trace.duckdb") as trace:
        return [next(iter(row.values())) for row in trace.query(sql).to_pylist()]


def account(running: Started) -> Any:
    """Ask a program for its account, and let it end."""
    ended = running.end(signal.SIGTERM)
    assert (ended.code, ended.stderr) == (0, "")
    return json.loads(ended.stdout.splitlines()[-1])


def recorded(attached: Started, *, code: int = 0) -> Ended:
    with attached:
        ended = attached.end()
    assert ended.code == code, ended.stderr
    return ended


def assert_whole(told: Any, numbers: Sequence[Any], folder: Path) -> None:
    """The program lost nothing, everything is as before, and what was recorded has no gap."""
    assert told["emitted"] == told["handled"]
    assert told["changed"] == []
    assert numbers
    assert gaps(numbers) == []
    assert len(set(numbers)) == len(numbers)
    assert rows(folder, "select coalesce(sum(lost), 0) from losses") == [0]


@pytest.mark.parametrize("name", ["sleeping", pytest.param("serving", marks=pytest.mark.soak), "allocating"])
def test_a_program_that_works_is_recorded_for_a_time(name: str, tmp_path: Path) -> None:
    if REMOTE_EXEC and name == "allocating":
        pytest.skip("its main thread only waits: Python 3.14 comes to nobody who does")
    with program(name, tmp_path) as running:
        running.wait_for("ready")
        ended = recorded(attach(tmp_path, str(running.process.pid), "--for", "0.5s"))
        told_by_it = account(running)
    assert "hooked pyee" in ended.stderr
    assert REMOTE_EXEC or len(costs_ms(ended.stderr.splitlines())) == 2
    assert_whole(told_by_it, rows(tmp_path, NUMBERS), tmp_path)


@pytest.mark.skipif(REMOTE_EXEC, reason="Python 3.14 comes to nobody who only waits")
def test_a_program_that_waits_is_recorded_until_it_is_detached_from(tmp_path: Path) -> None:
    with program("idle", tmp_path) as running:
        running.wait_for("ready")
        pid = running.process.pid
        attached = attach(tmp_path, str(pid))
        attached.wait_for("attached to", errors=True)
        for count in range(1, 4):
            os.kill(pid, signal.SIGUSR1)
            running.wait_for("emitted", count=count)
        second = attach(tmp_path, str(pid), "--db", str(tmp_path / "other.duckdb"))
        assert "is being recorded already" in recorded(second, code=1).stderr
        done = told("detach", str(pid))
        assert (done.returncode, "detached from" in done.stderr) == (0, True), done.stderr
        recorded(attached)
        os.kill(pid, signal.SIGUSR1)
        running.wait_for("emitted", count=4)
        told_by_it = account(running)
    assert_whole(told_by_it, rows(tmp_path, NUMBERS), tmp_path)
    assert sorted(int(number) for number in rows(tmp_path, NUMBERS)) == [1, 2, 3]


def test_it_can_be_attached_to_again(tmp_path: Path) -> None:
    with program("sleeping", tmp_path) as running:
        running.wait_for("ready")
        for _ in range(2):
            attached = attach(tmp_path, str(running.process.pid))
            attached.wait_for("attached to", errors=True)
            time.sleep(0.2)
            attached.process.send_signal(signal.SIGINT)
            recorded(attached)
        told_by_it = account(running)
    assert (told_by_it["emitted"], told_by_it["changed"]) == (told_by_it["handled"], [])
    by_process = "select list(body_json) from operations where kind = 'send' group by process_id"
    lists = rows(tmp_path, by_process)
    assert len(lists) == 2
    assert [gaps(numbers) for numbers in lists] == [[], []]


def test_the_end_of_a_program_ends_it(tmp_path: Path) -> None:
    with program("sleeping", tmp_path) as running:
        running.wait_for("ready")
        attached = attach(tmp_path, str(running.process.pid))
        attached.wait_for("attached to", errors=True)
        told_by_it = account(running)
        recorded(attached)
    numbers = sorted(int(number) for number in rows(tmp_path, NUMBERS))
    assert numbers[-1] == told_by_it["emitted"]["MainThread"]
    assert gaps(numbers) == []


def test_a_killed_attacher_leaves_no_recording_behind(tmp_path: Path) -> None:
    with program("allocating" if not REMOTE_EXEC else "serving", tmp_path) as running:
        running.wait_for("ready")
        attached = attach(tmp_path, str(running.process.pid))
        attached.wait_for("attached to", errors=True)
        attached.process.kill()
        deadline = time.monotonic() + 60
        while attached.process.poll() is None or _collects(tmp_path):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        told_by_it = account(running)
        recorded(attached, code=-signal.SIGKILL)
    assert told_by_it["emitted"] == told_by_it["handled"]
    assert told_by_it["changed"] == []


def _collects(folder: Path) -> bool:
    return any(_is_collector(each, folder) for each in Path("/proc").glob("[0-9]*"))


def _is_collector(process: Path, folder: Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes()
    except OSError:
        return False
    return b"msgtrace_collectors.collect" in words and os.fsencode(folder) in words


def test_what_is_no_python_is_refused(tmp_path: Path) -> None:
    with Started(["sleep", "60"], tmp_path, traced=False) as running:
        done = told("attach", str(running.process.pid))
        assert (done.returncode, done.stdout) == (1, "")
        assert "is no Python" in done.stderr
    gone = told("attach", str(running.process.pid))
    assert (gone.returncode, gone.stderr) == (1, f"msgtrace: there is no process {running.process.pid}\n")


def test_a_stopped_process_is_refused(tmp_path: Path) -> None:
    with program("sleeping", tmp_path) as running:
        running.wait_for("ready")
        running.process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)
        done = told("attach", str(running.process.pid))
        assert (done.returncode, f"kill -CONT {running.process.pid}" in done.stderr) == (1, True), done.stderr
        running.process.send_signal(signal.SIGCONT)
        assert account(running)["changed"] == []


def test_what_run_records_is_left_to_it(tmp_path: Path) -> None:
    script = str(PROGRAMS / "attach" / "sleeping.py")
    with Started([sys.executable, script], tmp_path) as running:
        running.wait_for("ready")
        threads = Path(f"/proc/{running.process.pid}/task")
        (child,) = (threads / str(running.process.pid) / "children").read_text().split()[-1:]
        done = told("attach", child, "--db", str(tmp_path / "other.duckdb"))
        assert "is being recorded already" in done.stderr
        assert "is recorded by `msgtrace run`" in told("detach", child).stderr
        running.end(signal.SIGTERM)
