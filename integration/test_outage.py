"""A broker that is killed and started again in mid-stream: the program goes on, and every call's outcome is recorded."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from integration.recorded import read
from msgtrace.commands.target import environment
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parent / "programs" / "faults" / "through_an_outage.py"


@contextmanager
def server(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Redis of the test's own; killed at the end of the block."""
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                redis.Redis(port=port).ping()
                break
            except redis.RedisError:
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(lines: Iterator[str], outcome: str) -> None:
    """Read a program's account until an outcome is in it."""
    for line in lines:
        if line.startswith(outcome):
            return
    pytest.fail(f"the program ended before {outcome!r}")


@pytest.mark.redis
def test_broker_restarted_in_mid_stream(tmp_path: Path) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("restarting a broker needs a redis-server of the test's own")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    program: subprocess.Popen[str] | None = None
    spool = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    try:
        with server(port, tmp_path):
            program = subprocess.Popen(
                [sys.executable, PROGRAM, f"redis://127.0.0.1:{port}/0", "ticks"],
                env=environment(Settings(), spool),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert program.stderr is not None
            wait_for(program.stderr, "ok")
        wait_for(program.stderr, "ConnectionError")
        with server(port, tmp_path):
            wait_for(program.stderr, "ok")
            stdout, _ = program.communicate(timeout=20)
        assert program.returncode == 0
        outcomes = json.loads(stdout)
        recording = read(spool)
    finally:
        if program is not None:
            program.kill()
            program.wait()
        shutil.rmtree(spool)
    sends = recording.of("send", channel="ticks")
    assert [int(send["body"]) for send in sends] == list(range(len(outcomes)))
    recorded = ["ok" if s.outcome == "ok" else str(s.error_type).rpartition(".")[2] for s in sends]
    assert recorded == outcomes
    assert "ConnectionError" in outcomes
    assert outcomes[0] == outcomes[-1] == "ok"
    assert recording.losses == []
