"""Runs programs as users do, under `msgtrace run`, beside the very same without it; finds and makes interpreters.

Tests of hooks read segments (`recorded.py`); these go the whole way into a trace file.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROGRAMS = Path(__file__).parent / "programs"
RUN = (sys.executable, "-m", "msgtrace", "run")
DEADLINE_S = 90


def clean_environment() -> dict[str, str]:
    """This process's, without what would change what an interpreter does."""
    return {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "MSGTRACE_", "COV_"))}


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that has ended.

    Attributes:
        code: its exit code, or the negative number of the signal that ended it.
        said: the lines of standard error that are msgtrace's.
        trace: the trace file.
    """

    code: int
    stdout: str
    stderr: str
    trace: Path

    @property
    def said(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if line.startswith(("msgtrace: ", "  "))]

    @property
    def account(self) -> Any:
        """What the program printed, as JSON."""
        return json.loads(self.stdout)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Ask the trace file."""
        with open_trace(self.trace) as trace:
            rows: list[dict[str, Any]] = trace.query(sql).to_pylist()
        return rows

    def values(self, sql: str) -> list[Any]:
        """The first column of an answer."""
        return [next(iter(row.values())) for row in self.rows(sql)]


class Started:
    """A program that runs, alone in a process group of its own; its lines are read as they come.

    Attributes:
        process: `msgtrace run`, or the program itself where it is not traced.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        *,
        traced: bool = True,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._trace = folder / "trace.duckdb"
        words = [*RUN, "--db", str(self._trace), "--quiet", *options, "--", *command] if traced else list(command)
        self.process = subprocess.Popen(
            words, cwd=folder, env={**clean_environment(), **(env or {})}, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines))
            for stream, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self._changed.notify_all()

    def wait_for(self, text: str, *, count: int = 1, errors: bool = False, patience_s: float = DEADLINE_S) -> list[str]:
        """Wait until so many lines contain a text; those lines."""
        lines = self.errors if errors else self.lines

        def found() -> list[str]:
            return [line for line in lines if text in line]

        with self._changed:
            met = self._changed.wait_for(lambda: len(found()) >= count, patience_s)
        assert met, f"no {text!r} in {self.lines[-20:]} {self.errors[-20:]}"
        return found()

    def end(self, number: int | None = None) -> Ended:
        """Send a signal to the one process that was started, if any, and wait for its end."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(DEADLINE_S)
        for reader in self._readers:
            reader.join(DEADLINE_S)
        return Ended(code, "\n".join(self.lines), "\n".join(self.errors), self._trace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(DEADLINE_S)
        for reader in self._readers:
            reader.join(DEADLINE_S)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


def run(
    command: Sequence[str],
    folder: Path,
    *,
    traced: bool = True,
    options: Sequence[str] = ("--quiet",),
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> Ended:
    """Run a program to its end, in a folder.

    Args:
        command: the program and its arguments.
        folder: its working folder; the trace file lies there.
        traced: False runs the very same without msgtrace.
        options: of `msgtrace run`.
        env: variables set, or with None taken away.
        stdin: its standard input; nothing by default.
    """
    trace = folder / "trace.duckdb"
    words = [*RUN, "--db", str(trace), *options, "--", *command] if traced else list(command)
    done = subprocess.run(
        words, cwd=folder, env={**clean_environment(), **(env or {})}, input=stdin or "", text=True,
        capture_output=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr, trace)


def interpreters() -> Iterator[Path]:
    """Every CPython 3.11 or later of another minor version than this, that this machine has in a usual place."""
    folders = [Path(p) for p in os.environ.get("PATH", "").split(os.pathsep)]
    folders += Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin")
    folders += Path(os.environ.get("RUNNER_TOOL_CACHE", "/opt/hostedtoolcache")).glob("Python/*/x64/bin")
    folders += (Path.home() / ".local/share/uv/python").glob("*/bin")
    for minor in range(11, 15):
        if minor == sys.version_info[1]:
            continue
        for folder in folders:
            path = folder / f"python3.{minor}"
            # A pyenv shim has the name of versions that are not there.
            if path.exists() and "shims" not in path.parts and subprocess.run(
                [path, "-c", ""], check=False, capture_output=True
            ).returncode == 0:  # fmt: skip
                yield path
                break


def make_venv(
    folder: Path,
    *packages: str,
    python: Path | None = None,
    lines: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
) -> Path:
    """An environment without pip, with copies of some of our packages.

    Args:
        folder: where.
        packages: top modules, by the names of their files or folders in our site-packages.
        python: whose environment; this interpreter's by default.
        lines: of a .pth file.
        files: name -> text, written into its site-packages.

    Returns:
        its interpreter.
    """
    if python is None:
        venv.create(folder, with_pip=False, symlinks=True)
    else:
        subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    (site,) = folder.glob("lib/python3.*/site-packages")
    for name in packages:
        source = Path(sysconfig.get_paths()["purelib"]) / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, site / name)
    if lines:
        (site / "ours.pth").write_text("\n".join(lines) + "\n")
    for name, text in (files or {}).items():
        (site / name).write_text(text)
    return folder / "bin" / "python"
