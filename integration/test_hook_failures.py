"""Extractors that raise, a spool that is full, a spool that can't be made: the program goes on, the loss is counted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.recorded import read, record
from msgtrace.commands.target import environment
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = Path(__file__).parent / "programs" / "faults"
EMITTING = """
import pyee
emitter = pyee.EventEmitter()
seen = []
emitter.on("ticked", seen.append)
for number in range(20_000):
    emitter.emit("ticked", {"number": number, "text": "x" * 100})
print(len(seen), sum(event["number"] for event in seen))
"""


def test_extractors_that_raise_cost_their_own_record_and_nothing_else() -> None:
    done = record([str(PROGRAMS / "failing_hook.py")], env={"MSGTRACE_RAISE": "0"})
    assert done.exit_code == 0, done.stderr
    assert done.said == "went on"
    failed = Counter(
        detail.partition(":")[2].split(": ")[0] for reason, _, detail in done.losses if reason == "hook failed"
    )
    names = ["send", "fetch", "deliver", "process", "observe", "late", "send_async", "fetch_async"]
    assert failed == {f"Toy.{name}": 10 for name in names}, "each is counted until it switches itself off"
    assert [detail for reason, _, detail in done.losses if reason == "hook not placed"] == [
        "toy:Toy.gone: toy  has no Toy.gone"
    ]
    warnings = [line for line in done.stderr.splitlines() if "records no more" in line]
    assert len(warnings) == len(names), "and says so once"


@pytest.fixture
def small_memory(tmp_path: Path) -> Iterator[Path]:
    """A memory file system of 3 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("a tmpfs can't be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_full_memory_drops_and_counts(small_memory: Path) -> None:
    variables = environment(Settings(), small_memory)
    done = subprocess.run([sys.executable, "-c", EMITTING], env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"20000 {sum(range(20_000))}\n", "")
    recording = read(small_memory)
    sends = recording.of("send")
    assert [o["data"]["number"] for o in sends] == list(range(len(sends))), "the oldest are kept, without a gap"
    assert 1_000 < len(sends) < 20_000
    assert recording.dropped > 0


def test_spool_that_cannot_be_made_leaves_the_program_alone() -> None:
    variables = environment(Settings(), Path("/proc/no-such-spool"))
    done = subprocess.run([sys.executable, "-c", EMITTING], env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"20000 {sum(range(20_000))}\n")
    assert len(done.stderr.splitlines()) == 1, "said once"
    assert "records nothing in this process" in done.stderr


def test_read_only_spool_leaves_the_program_alone(small_memory: Path) -> None:
    """There is nowhere to count what is lost, so each process says that nothing of it is recorded."""
    variables = environment(Settings(), small_memory)
    subprocess.run(["mount", "-o", "remount,ro", small_memory], check=True)
    done = subprocess.run([sys.executable, "-c", EMITTING], env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"20000 {sum(range(20_000))}\n")
    assert len(done.stderr.splitlines()) == 1, "said once"
    assert "records nothing in this process" in done.stderr
    assert "Read-only file system" in done.stderr
    assert list(small_memory.iterdir()) == []


def test_setting_that_cannot_be_understood_leaves_the_program_alone(tmp_path: Path) -> None:
    variables = {**environment(Settings(), tmp_path), "MSGTRACE_BODY_LIMIT": "much"}
    done = subprocess.run([sys.executable, "-c", EMITTING], env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"20000 {sum(range(20_000))}\n")
    notes = [path.read_text() for path in tmp_path.glob("note-*")]
    assert len(notes) == 1
    assert "MSGTRACE_BODY_LIMIT='much': expected a whole number" in notes[0]
