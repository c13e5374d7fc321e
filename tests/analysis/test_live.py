"""Commands while a program is being recorded, and after it: the program, its collector and the commands are all real."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
PROGRAM = Path(__file__).with_name("chatty_program.py")
DEADLINE_S = 60


@dataclass
class Running:
    """A command that is running, and the lines that it writes to standard output."""

    process: subprocess.Popen[str]
    lines: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    _said: str = ""

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def line(self) -> str:
        return self.lines.get(timeout=DEADLINE_S)

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ended(self) -> tuple[int, str]:
        """End its input and wait; its exit code and standard error."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
            self._said = self.process.stderr.read()
        return self.process.wait(DEADLINE_S), self._said


@contextmanager
def started(folder: Path, *command: str) -> Iterator[Running]:
    with subprocess.Popen(
        ["msgtrace", *command], cwd=folder, text=True, env=ENVIRONMENT, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        running = Running(process)
        try:
            yield running
        finally:
            # `run` passes this on to its program, and ends after it.
            process.terminate()
            running.ended()


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["msgtrace", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def recorded(folder: Path, operations: int) -> None:
    """Wait until the trace has so many operations."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        answer = command(folder, "sql", "select count(*) as n from operations", "--format", "json")
        if answer.returncode == 0 and json.loads(answer.stdout)[0]["n"] >= operations:
            return
        assert time.monotonic() < deadline, answer.stderr
        time.sleep(0.1)


def test_tail_shows_what_comes_until_the_recording_ends(tmp_path: Path) -> None:
    with started(tmp_path, "run", "--", sys.executable, str(PROGRAM)) as run:
        run.tell("one")
        assert run.line() == "handled one"
        recorded(tmp_path, 2)
        with started(tmp_path, "tail", "--format", "json") as tail:
            first = [json.loads(tail.line()) for _ in range(2)]
            assert [each["kind"] for each in first] == ["send", "process"]
            run.tell("two")
            then = [json.loads(tail.line()) for _ in range(2)]
            assert [(each["kind"], each["routing_key"]) for each in then] == [("send", "line"), ("process", None)]
            assert run.ended()[0] == 0
            assert tail.ended() == (0, "msgtrace: the recording has ended\n")
            assert tail.lines.empty()


def test_ctrl_c_ends_tail_and_nothing_else(tmp_path: Path) -> None:
    with started(tmp_path, "run", "--", sys.executable, str(PROGRAM)) as run:
        run.tell("one")
        assert run.line() == "handled one"
        recorded(tmp_path, 2)
        with started(tmp_path, "tail") as tail:
            tail.line()
            tail.process.send_signal(signal.SIGINT)
            assert tail.ended() == (0, "")
        run.tell("two")
        assert run.line() == "handled two"


def test_looks_and_report_during_a_recording_and_the_summary_after_it(tmp_path: Path) -> None:
    with started(tmp_path, "run", "--", sys.executable, str(PROGRAM)) as run:
        for line in ("one", "bad"):
            run.tell(line)
            assert run.line() == f"handled {line}"
        assert run.line() == "failed"
        recorded(tmp_path, 4)
        (event,) = json.loads(command(tmp_path, "events", "--format", "json").stdout)
        assert (event["event"], event["sent"], event["received"]) == ("line", 2, 2)
        report = command(tmp_path, "report")
        assert report.returncode == 0, report.stderr
        assert "still going on" in report.stderr
        code, said = run.ended()
    assert code == 0
    lines = said.splitlines()
    assert lines[0] == "msgtrace: 4 operations in 1 process of 1 service: .msgtrace/trace.duckdb"
    assert lines[1] == "  operations      process 2, send 2"
    assert lines[-1] == "  next            msgtrace report    (also: events, flows, queues, follow ID, sql)"
    assert command(tmp_path, "report").returncode == 0
    guide = (tmp_path / "MESSAGING_GUIDE.md").read_text()
    assert (
        "| [`line`](#event-line-on-pyee-base-eventemitter) | pyee bus `pyee.base.EventEmitter` | domain event (guess) | 2 | 2 |"
        " `chatty_program` | `chatty_program` | event name (exact) |" in guide
    )
    assert "| chatty\\_program `on_line`" in guide
    assert "| `ValueError` | 1 |" in guide
