"""A spool of one's own, a collector inside the test, and one as a process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from msgtrace.redaction import Redactor
from msgtrace_collectors.collector import Collector, Stop
from msgtrace_collectors.linking import link

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def spool() -> Iterator[Path]:
    """A spool folder where spools are: in memory."""
    folder = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def collected(db: Path, spool: Path, *, linked: bool = False) -> list[str]:
    """Collect all that ended processes left in a spool; what the collector said."""
    said: list[str] = []
    collector = Collector(db, spool, Redactor(), said.append)
    collector.run(Stop(), until_idle_s=lambda: 0.0, every=lambda: None)
    if linked:
        link(collector.store.cursor(), db)
    collector.close()
    return said


def rows(db: Path, sql: str) -> list[dict[str, Any]]:
    """The answer to a question about a trace that nobody records."""
    from msgtrace_collectors.trace import open_trace

    with open_trace(db) as trace:
        return trace.query(sql).to_pylist()


@dataclass(slots=True)
class CollectorProcess:
    """A real collector, started as `run` does."""

    db: Path
    spool: Path
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            RuntimeError: it ended instead.
        """
        receiving, sending = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "msgtrace_collectors.collect", "--db", self.db, "--spool", self.spool,
             "--ready-fd", str(sending), *self.options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=(sending,), env=os.environ | self.environment,
        )  # fmt: skip
        os.close(sending)
        with open(receiving, "rb") as pipe:
            if pipe.readline() != b"ready\n":
                _, said = self.process.communicate(timeout=60)
                raise RuntimeError(said)

    def end(self, how: signal.Signals = signal.SIGTERM, timeout_s: float = 120) -> tuple[int, str]:
        """End it; its exit code and what it said."""
        assert self.process is not None
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, said


@pytest.fixture
def collector(tmp_path: Path, spool: Path) -> Iterator[CollectorProcess]:
    """A collector that has not been started."""
    made = CollectorProcess(tmp_path / "trace.duckdb", spool)
    yield made
    if made.process is not None and made.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            made.process.kill()
        made.process.communicate()
