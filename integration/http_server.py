"""Runs a real HTTP server so that it records, asks it, and reads what it recorded straight from its segments."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

from integration.recorded import Recording, read
from msgtrace.commands.target import environment
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRAMS = Path(__file__).parent / "programs" / "http"
DEADLINE_S = 60


@dataclass(slots=True)
class Server:
    """A server that runs, and after its end what it recorded.

    Attributes:
        port: where it listens, on 127.0.0.1.
        output: what it wrote, standard error with it.
    """

    port: int
    recording: Recording = field(default_factory=lambda: Recording(0, "", ""))
    output: str = ""

    def ask(self, method: str, target: str) -> tuple[int, bytes]:
        """One request on a connection of its own: the status and the body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, target)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(command: Sequence[str], *, env: dict[str, str] | None = None, traced: bool = True) -> Iterator[Server]:
    """Start `python COMMAND`, in which `PORT` stands for the port; end it with SIGTERM, and read what it recorded."""
    server = Server(free_port())
    words = [sys.executable, *(word.replace("PORT", str(server.port)) for word in command)]
    spool = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    variables = environment(Settings(), spool) if traced else dict(os.environ)
    variables["MSGTRACE_RAISE"] = "1"
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            words, cwd=PROGRAMS, env={**variables, **(env or {})}, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_until_up(server.port, process)
            yield server
            time.sleep(0.1)  # the last answer is there before its request is over
            process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE_S)
            server.recording = read(spool) if traced else server.recording
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(DEADLINE_S)
            output.seek(0)
            server.output = output.read()
            shutil.rmtree(spool, ignore_errors=True)
        server.recording.exit_code = process.returncode


def _wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, f"{process.args!r} has ended with {process.returncode}"
        time.sleep(0.02)
    raise AssertionError(f"nobody listens on {port}")
