"""A spool that can't be written to, from the start or from the middle on: the program goes on, and the loss is told."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.recorded import read
from msgtrace.commands.target import environment
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parent / "programs" / "faults" / "numbered.py"
COUNT = 5_000
PRINTED = f"ready\n{COUNT + 10} {sum(range(COUNT + 10))}\n"
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE = 1

_prctl = ctypes.CDLL(None).prctl


def _no_override() -> None:
    """Let file modes hold for root too, in the program that is run next; others never had the capability."""
    _prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


@pytest.fixture
def spool() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    try:
        yield folder
    finally:
        for path in [folder, *folder.iterdir()]:
            os.chmod(path, 0o700)  # noqa: PTH101 - as it was, to be removed
        shutil.rmtree(folder)


def started(spool: Path) -> subprocess.Popen[str]:
    """The program, recording in small segments."""
    return subprocess.Popen(
        [sys.executable, PROGRAM, str(COUNT)],
        env=environment(Settings(segment_bytes=1 << 16), spool),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_no_override,  # noqa: PLW1509 - no thread runs here
    )


def test_spool_that_is_read_only_from_the_start(spool: Path) -> None:
    spool.chmod(0o500)
    with started(spool) as program:
        stdout, stderr = program.communicate("\n", timeout=60)
    assert (program.returncode, stdout) == (0, PRINTED)
    assert "msgtrace records nothing in this process" in stderr
    assert "Traceback" not in stderr
    assert list(spool.iterdir()) == []


def test_spool_that_becomes_read_only_in_mid_stream(spool: Path) -> None:
    with started(spool) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        (folder,) = [path for path in spool.iterdir() if path.is_dir()]
        folder.chmod(0o500)
        stdout, stderr = program.communicate("\n", timeout=60)
    assert (program.returncode, "ready\n" + stdout, stderr) == (0, PRINTED, "")
    recording = read(spool)
    assert 10 < len(recording.of("send")) < COUNT
    assert recording.dropped > 0
    # Two records for each send, and two for each of its listener's runs: what isn't there is counted.
    there = sum(1 if each.ended_ns is None else 2 for each in recording.operations)
    assert there + recording.dropped == 4 * (COUNT + 10)
