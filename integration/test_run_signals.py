"""Signals under `msgtrace run`: the program gets each once, whether it was sent to one process or to the whole group."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from integration.traced import DEADLINE_S, PROGRAMS, RUN, Started, run

SIGNALLED = [sys.executable, str(PROGRAMS / "run" / "signalled.py")]
HARMLESS = ["HUP", "USR1", "USR2", "WINCH", "TTIN", "TTOU", "QUIT", "ALRM", "URG"]


def group_of(program: Started) -> int:
    return os.getpgid(program.process.pid)


@pytest.mark.parametrize("to_group", [False, True], ids=["to the process", "to the group"])
def test_each_signal_reaches_the_program_once(to_group: bool, tmp_path: Path) -> None:
    with Started(SIGNALLED, tmp_path) as program:
        program.wait_for("ready")
        for count, name in enumerate([*HARMLESS, *HARMLESS], 1):
            number = getattr(signal, f"SIG{name}")
            (os.killpg if to_group else os.kill)(program.process.pid, number)
            program.wait_for("SIG", count=count)
        (os.killpg if to_group else os.kill)(program.process.pid, signal.SIGTERM)
        ended = program.end()
    told = ended.stdout.splitlines()[1:]
    assert told == [*(f"SIG{n}" for n in HARMLESS * 2), "SIGTERM"]
    assert ended.code == 42
    assert ended.stderr == ""
    sent = ended.values("select body_json from operations where kind = 'send' order by sequence")
    assert [s.strip('"') for s in sent] == told, "nothing that was sent before the end is missing"


def test_the_group_is_told_apart_while_the_witness_gets_no_processor(tmp_path: Path) -> None:
    """It is held back by a stop, which a busy machine does for longer than any time-out would be."""
    with Started(SIGNALLED, tmp_path) as program:
        pid = int(program.wait_for("ready")[0].split()[1])
        outer = program.process.pid
        children = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
        (witness,) = (int(c) for c in children if int(c) != pid and os.getpgid(int(c)) == group_of(program))
        sent = [*["USR1", "HUP"] * 3, "USR2"]
        for count, name in enumerate(sent, 1):
            os.kill(witness, signal.SIGSTOP)
            await_state(witness, "T")
            (os.kill if name == "USR2" else os.killpg)(outer, getattr(signal, f"SIG{name}"))
            program.wait_for("SIG", count=count)
            await_state(witness, "S")
        ended = program.end(signal.SIGTERM)
    assert ended.stdout.splitlines()[1:] == [*(f"SIG{n}" for n in sent), "SIGTERM"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_ends_the_program(number: signal.Signals, tmp_path: Path) -> None:
    """Default actions: the exit status is that of the program."""
    code = "import pyee.base, time; pyee.base.EventEmitter().emit('up'); print('up', flush=True); time.sleep(60)"
    sleeper = [sys.executable, "-c", code]
    results = []
    for traced in (False, True):
        folder = tmp_path / str(traced)
        folder.mkdir()
        with Started(sleeper, folder, traced=traced) as program:
            program.wait_for("up")
            results.append(program.end(number))
    plain, traced_run = results
    assert traced_run.code == plain.code == -number
    assert traced_run.stderr == plain.stderr  # a KeyboardInterrupt's traceback, for SIGINT
    assert traced_run.values("select count(*) from operations where kind = 'send'") == [1]


def test_what_the_program_does_to_its_own_group_and_parent(tmp_path: Path) -> None:
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b'group\\n'))\n"
        "os.killpg(0, signal.SIGUSR1)\n"
        "time.sleep(0.3)\n"
    )
    with Started([sys.executable, "-c", code], tmp_path) as program:
        ended = program.end()
    assert (ended.code, ended.stdout) == (0, "group")


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def await_state(pid: int, states: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while state_of(pid) not in states:
        assert time.monotonic() < deadline, f"{pid} is {state_of(pid)}"
        time.sleep(0.02)


@pytest.mark.parametrize("to_group", [False, True], ids=["to the program", "to the group"])
def test_stopped_and_continued(to_group: bool, tmp_path: Path) -> None:
    """SIGSTOP: whoever waits for us, such as a shell, sees us stop with the program."""
    with Started(SIGNALLED, tmp_path) as started:
        pid = int(started.wait_for("ready")[0].split()[1])
        outer = started.process.pid
        (os.killpg if to_group else os.kill)(outer if to_group else pid, signal.SIGSTOP)
        await_state(pid, "T")
        await_state(outer, "T")
        os.killpg(outer, signal.SIGCONT)
        await_state(pid, "SR")
        await_state(outer, "SR")
        started.wait_for("SIGCONT")
        ended = started.end(signal.SIGTERM)
    assert ended.stdout.splitlines()[1:] == ["SIGCONT", "SIGTERM"]


def test_run_is_killed_and_the_program_goes_on_being_recorded(tmp_path: Path) -> None:
    with Started(SIGNALLED, tmp_path) as program:
        pid = int(program.wait_for("ready")[0].split()[1])
        spool = Path(
            dict(v.split("=", 1) for v in Path(f"/proc/{pid}/environ").read_text().split("\0") if v)["MSGTRACE_SPOOL"]
        )
        os.kill(program.process.pid, signal.SIGKILL)
        program.process.wait(DEADLINE_S)
        os.kill(pid, signal.SIGUSR1)
        program.wait_for("SIGUSR1")
        os.kill(pid, signal.SIGTERM)
        program.wait_for("SIGTERM")
        deadline = time.monotonic() + DEADLINE_S
        while spool.exists():  # the collector ends by itself, and clears up
            assert time.monotonic() < deadline
            time.sleep(0.05)
        ended = program.end()
    assert ended.values("select body_json from operations where kind = 'send' order by sequence") == [
        '"SIGUSR1"',
        '"SIGTERM"',
    ]


def test_the_collector_is_killed_and_nothing_is_lost(tmp_path: Path) -> None:
    with Started(SIGNALLED, tmp_path) as program:
        program.wait_for("ready")
        for count in range(1, 6):
            children = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().split()
            collectors = [
                int(c) for c in children if b"msgtrace_collectors.collect" in Path(f"/proc/{c}/cmdline").read_bytes()
            ]
            if collectors:
                os.kill(collectors[0], signal.SIGKILL)
            program.process.send_signal(signal.SIGUSR1)
            program.wait_for("SIGUSR1", count=count)
        ended = program.end(signal.SIGTERM)
    assert ended.code == 42
    assert ended.values("select count(*) from operations where kind = 'send'") == [6]
    assert ended.stderr == ""


def test_ctrl_c_twice_while_storing_keeps_what_is_not_stored(tmp_path: Path) -> None:
    """The collector is stopped, so it can't end: as a full disk or a slow one would make it."""
    with Started(SIGNALLED, tmp_path) as program:
        pid = int(program.wait_for("ready")[0].split()[1])
        children = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().split()
        (collector,) = (
            int(c) for c in children if b"msgtrace_collectors.collect" in Path(f"/proc/{c}/cmdline").read_bytes()
        )
        os.kill(collector, signal.SIGSTOP)
        program.process.send_signal(signal.SIGTERM)
        program.wait_for("SIGTERM")
        deadline = time.monotonic() + DEADLINE_S
        while not program.errors:
            assert time.monotonic() < deadline
            if Path(f"/proc/{pid}").exists():
                time.sleep(0.02)
                continue
            program.process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        ended = program.end(signal.SIGINT)
    assert ended.code == 42
    assert ended.said[0] == "msgtrace: storing what was recorded; Ctrl-C again leaves it where it is"
    assert "not everything is stored; the segments are kept, store them with: msgtrace collect" in ended.said[-1]
    words = ended.said[-1].partition("msgtrace collect ")[2].split()
    try:
        stored = run([*RUN[:-1], "collect", *words], tmp_path, traced=False)
        assert stored.code == 0, stored.stderr
        assert ended.values("select count(*) from operations where kind = 'send'") == [1]
    finally:
        import shutil

        shutil.rmtree(words[words.index("--spool") + 1])
