"""The collector as `run` keeps it: a spool of its own, started and awaited, restarted when it dies, drained at the end."""

from __future__ import annotations

import os
import secrets
import select
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from msgtrace.spool import writable_folder

READY_SECONDS: Final = 30
STOP_SECONDS: Final = 120
RESTARTS: Final = 20


class CollectorFailed(Exception):  # noqa: N818 - reads as what it is
    """There is no collector; the text is for the user."""


class Collector:
    """One collector process and its spool folder.

    Args:
        db: the trace file.
    """

    def __init__(self, db: Path) -> None:
        self._db = db
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts = 0
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        root = writable_folder([Path("/dev/shm"), *([Path(runtime)] if runtime else [])])  # noqa: S108 - memory, and a folder of our own in it
        self._root = root
        self.spool = Path()

    def start(self) -> None:
        """Make the spool, start the collector and wait until it records.

        Raises:
            CollectorFailed: it could not; the text says why.
        """
        if find_spec("duckdb") is None or find_spec("pyarrow") is None:
            raise CollectorFailed("recording needs duckdb and pyarrow: pip install 'msgtrace[tools]'")
        if self._root is None:
            raise CollectorFailed(
                "no memory file system to record into: neither /dev/shm nor XDG_RUNTIME_DIR can be written to"
            )
        self.spool = self._root / f"msgtrace-{os.getuid()}-{secrets.token_hex(8)}"
        self.spool.mkdir(mode=0o700)
        self._launch()

    def _launch(self) -> None:
        receiving, sending = os.pipe()
        log = self.spool / "collector.log"
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "msgtrace_collectors.collect", "--db", str(self._db), "--spool", str(self.spool),
                 "--ready-fd", str(sending)],
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, pass_fds=(sending,),
                # Its own group: the terminal's Ctrl-C is the program's.
                process_group=0,
            )  # fmt: skip
        os.close(sending)
        try:
            self._await(receiving)
        finally:
            os.close(receiving)

    def _await(self, receiving: int) -> None:
        readable, _, _ = select.select([receiving], [], [], READY_SECONDS)
        if readable and os.read(receiving, 64).startswith(b"ready"):
            return
        if self._process is not None and self._process.poll() is None and not readable:
            self._process.kill()
        raise CollectorFailed(self._last_words() or f"the collector was not ready within {READY_SECONDS} s")

    def _last_words(self) -> str:
        try:
            lines = (self.spool / "collector.log").read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1].removeprefix("msgtrace: ").removeprefix("Error: ") if lines else ""

    def keep_alive(self) -> None:
        """Start the collector again if it has died; what was recorded meanwhile waits in the spool."""
        if self._process is None or self._process.poll() is None or self._restarts >= RESTARTS:
            return
        self._restarts += 1
        try:
            self._launch()
        except CollectorFailed:
            return

    def stop(self) -> str:
        """Let the collector read everything and end.

        Returns:
            '' if it did, else what went wrong.
        """
        self.keep_alive()
        if self._process is None:
            return "the collector never started"
        if self._process.poll() is None:
            self._process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while True:
            try:
                code = self._process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                return f"the collector did not finish within {STOP_SECONDS} s; segments are kept in {self._keep()}"
            if code == 0:
                return ""
            words = self._last_words()
            if code > 0 or self._restarts >= RESTARTS:
                return f"{words or 'the collector failed'}; segments are kept in {self._keep()}"
            # Killed while it was draining: another one goes on where it was.
            self._restarts += 1
            try:
                self._launch()
            except CollectorFailed as error:
                return f"{error}; segments are kept in {self._keep()}"
            self._process.terminate()

    def _keep(self) -> Path:
        self._kept = True
        return self.spool

    _kept = False

    def notes(self) -> list[str]:
        """Why processes were not recorded, as they said themselves; each once."""
        return sorted({path.read_text(errors="replace") for path in self.spool.glob("note-*")})

    def discard(self) -> None:
        """Remove the spool, unless there is something in it that is nowhere else."""
        if self.spool.name.startswith("msgtrace-") and not self._kept:
            shutil.rmtree(self.spool, ignore_errors=True)
