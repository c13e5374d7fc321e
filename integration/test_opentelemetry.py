"""Programs that run OpenTelemetry themselves: its ids are on our operations, its spans are what they were; and its loader."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from integration.recorded import read, record

PROGRAMS = Path(__file__).parent / "programs"
LOADED = "import sys; print('msgtrace.instrumentor' in sys.modules); import emitting; emitting.main()"


def test_the_programs_own_spans() -> None:
    command = [str(PROGRAMS / "opentelemetry" / "own_spans.py")]
    recording, plain = record(command), record(command, traced=False)
    assert (recording.exit_code, recording.stderr, recording.losses) == (0, "", [])
    assert recording.said["spans"] == plain.said["spans"] == [["handling", True], ["request", False]]
    sends = [each for each in recording.of("send") if each["routing_key"] != "new_listener"]
    assert [[e["routing_key"], e["trace_id"], e["span_id"]] for e in sends] == recording.said["emitted"]
    assert recording.said["emitted"][1][1] is not None


def test_opentelemetry_instrument_loads_us() -> None:
    """By the entry point; the .pth file of an installed msgtrace would record all the same, but not load that."""
    script = Path(sys.executable).parent / "opentelemetry-instrument"
    spool = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    env = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "MSGTRACE_"))}
    env |= {f"OTEL_{name}_EXPORTER": "none" for name in ("TRACES", "METRICS", "LOGS")}
    try:
        done = subprocess.run(
            [script, sys.executable, "-c", LOADED],
            cwd=PROGRAMS / "run",
            env={**env, "MSGTRACE_SPOOL": str(spool)}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        recording = read(spool)
    finally:
        shutil.rmtree(spool, ignore_errors=True)
    assert (done.returncode, done.stdout) == (0, "True\nhello world\nhello nobody\n"), done.stderr
    assert [each["routing_key"] for each in recording.of("send")] == ["greeting", "greeting"]
