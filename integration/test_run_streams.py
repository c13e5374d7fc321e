"""Standard streams and terminal under `msgtrace run`: those that the program would have without it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from integration.terminal import PROMPT, Shell
from integration.traced import DEADLINE_S, PROGRAMS, RUN, clean_environment, run

if TYPE_CHECKING:
    from pathlib import Path

STREAMS = [sys.executable, str(PROGRAMS / "run" / "streams.py")]
SIGNALLED = shlex.join([sys.executable, str(PROGRAMS / "run" / "signalled.py")])


def test_standard_input_goes_to_the_program_alone(tmp_path: Path) -> None:
    text = "".join(f"line {n}\n" for n in range(2_000))
    plain = run(STREAMS, tmp_path, traced=False, stdin=text)
    traced = run(STREAMS, tmp_path, stdin=text)
    assert (traced.stdout, traced.stderr) == (plain.stdout, plain.stderr)
    assert traced.stdout.count("\n") == 2_000
    assert traced.values("select count(*) from operations where kind = 'send'") == [2_001]


@pytest.mark.parametrize("redirection", ["", "0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-", "</dev/null >/dev/null", "2>&1"])
def test_streams_are_open_or_closed_as_without_us(redirection: str, tmp_path: Path) -> None:
    accounts = []
    for traced in (False, True):
        account = tmp_path / f"account {traced}"
        words = [*STREAMS, str(account)]
        if traced:
            words = [*RUN, "--db", str(tmp_path / "trace.duckdb"), "--", *words]
        done = subprocess.run(
            ["sh", "-c", f"exec {shlex.join(words)} {redirection}"], cwd=tmp_path, env=clean_environment(),
            input="one\n", capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip
        accounts.append((account.read_text(), done.returncode, done.stdout.replace("msgtrace: ", "")[:8]))
    assert accounts[0] == accounts[1]


def test_no_descriptor_of_ours_is_the_programs_and_all_of_its_own_are(tmp_path: Path) -> None:
    (tmp_path / "given").write_text("given\n")
    found = []
    for traced in (False, True):
        words = [sys.executable, str(PROGRAMS / "run" / "descriptors.py")]
        if traced:
            words = [*RUN, "--db", "trace.duckdb", "--quiet", "--", *words]
        done = subprocess.run(
            ["bash", "-c", f"exec {shlex.join(words)} 7<given 9>>out </dev/null"], cwd=tmp_path, env=clean_environment(),
            capture_output=True, text=True, timeout=DEADLINE_S, check=True,
        )  # fmt: skip
        found.append(done.stdout)
    assert found[0] == found[1]
    assert [f"7 {tmp_path / 'given'}", f"9 {tmp_path / 'out'}"] == found[1].splitlines()[-2:]


def traced_in(folder: Path, command: str) -> str:
    return f"{shlex.join(RUN)} --quiet --db {shlex.quote(str(folder / 'trace.duckdb'))} -- {command}\n"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    if shutil.which("bash") is None:
        pytest.skip("no bash to type into")
    return Shell(tmp_path, clean_environment())


def test_terminal_is_the_programs(shell: Shell, tmp_path: Path) -> None:
    size = "import os; print('size', *os.get_terminal_size(), os.tcgetpgrp(0) == os.getpgrp())"
    with shell:
        shell.resize(31, 97)
        shell.type(traced_in(tmp_path, shlex.join([*STREAMS, str(tmp_path / "account")])))
        shell.type("typed\n")
        shell.expect("out typed")
        shell.type("\x04")
        shell.expect(PROMPT)
        shell.type(traced_in(tmp_path, shlex.join([sys.executable, "-c", size])))
        shell.expect("size 97 31 True")
    assert (tmp_path / "account").read_text() == "terminal,terminal,terminal"


def test_ctrl_c_and_window_size_come_once(shell: Shell, tmp_path: Path) -> None:
    with shell:
        shell.type(traced_in(tmp_path, SIGNALLED))
        shell.expect(r"ready \d+")
        shell.resize(20, 60)
        shell.expect("SIGWINCH")
        shell.type("\x1c")
        shell.expect("SIGQUIT")
        shell.type("\x03")
        told = shell.expect(PROMPT)
        shell.type("echo code $?\n")
        shell.expect("code 42")
    assert told.count("SIGINT") == 1
    assert "SIGWINCH" not in told
    assert "msgtrace" not in told


def test_ctrl_c_ends_a_program_as_the_shell_knows_it(shell: Shell, tmp_path: Path) -> None:
    with shell:
        shell.type(traced_in(tmp_path, "sh -c 'echo up; exec sleep 60'"))
        shell.expect("\nup")
        shell.type("\x03")
        shell.expect(PROMPT)
        shell.type("echo code $?\n")
        shell.expect("code 130")


def test_ctrl_z_stops_the_job_and_fg_goes_on(shell: Shell, tmp_path: Path) -> None:
    with shell:
        shell.type(traced_in(tmp_path, SIGNALLED))
        shell.expect(r"ready \d+")
        for _ in range(2):
            shell.type("\x1a")
            shell.expect(r"Stopped.*" + PROMPT)
            shell.type("jobs\n")
            shell.expect(r"\[1\]\+\s+Stopped")
            shell.expect(PROMPT)
            shell.type("fg\n")
            shell.expect("SIGCONT")
        shell.type("\x03")
        shell.expect("SIGINT")
        shell.expect(PROMPT)
        shell.type("echo code $?\n")
        shell.expect("code 42")


def test_reading_the_terminal_from_the_background_stops_the_job(shell: Shell, tmp_path: Path) -> None:
    with shell:
        shell.type(traced_in(tmp_path, "cat").rstrip("\n") + " &\n")
        shell.expect(r"\[1\] \d+")
        shell.type("until jobs | grep -q Stopped; do sleep 0.1; done; jobs\n")
        shell.expect(r"\[1\]\+ +Stopped")
        shell.expect(PROMPT)
        shell.type("fg\n")
        shell.expect("-- cat\n")
        shell.type("typed\n")
        shell.expect("typed\ntyped")
        shell.type("\x04")
        shell.expect(PROMPT)
