"""Attaching and detaching again and again, on every minor version of Python: nothing breaks, is lost, or stays. `make soak`."""

from __future__ import annotations

import fcntl
import json
import shutil
import signal
import tempfile
import time
from pathlib import Path
from statistics import median

import pytest

from integration.attaching import gaps, needs_debugger
from integration.interpreters import evaluated, every_minor_version
from integration.recorded import read
from integration.traced import PROGRAMS, Started
from msgtrace.attached import LOCK
from msgtrace.attaching import session
from msgtrace.attaching.process import target
from msgtrace.settings import Settings

TIMES = 20


@pytest.mark.soak
@pytest.mark.parametrize("name", ["sleeping", "serving", "idle", "allocating"])
@every_minor_version()
def test_again_and_again(python: str, name: str, tmp_path: Path) -> None:
    needs_debugger()
    if evaluated(python, "__import__('sys').version_info >= (3, 14)"):
        pytest.skip("Python 3.14 comes to nobody who only waits")
    stopped, busy = [], []
    for number in range(TIMES):
        spool = Path(tempfile.mkdtemp(prefix="msgtrace-", dir="/dev/shm"))
        with (spool / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            command = [python, str(PROGRAMS / "attach" / f"{name}.py")]
            with Started(command, tmp_path, traced=False) as running:
                running.wait_for("ready")
                time.sleep(0.01 * number)  # not always at the same moment
                one = target(running.process.pid)
                begun = session.attach(spool, one, Settings(spool_limit=64 << 20))
                assert (begun.outcome, begun.detail) == ("attached", "pyee")
                if name == "idle":
                    running.process.send_signal(signal.SIGUSR1)
                    running.wait_for("emitted")
                time.sleep(0.1)
                over = session.detach(spool, one.pid)
                assert (over.outcome, over.detail) == ("detached", "")
                ended = running.end(signal.SIGTERM)
        recording = read(spool)
        shutil.rmtree(spool)
        stopped += [begun.stopped_ns / 1e6, over.stopped_ns / 1e6]
        busy.append(begun.ran_ns / 1e6)
        assert (ended.code, ended.stderr) == (0, "")
        told = json.loads(ended.stdout.splitlines()[-1])
        assert (told["emitted"], told["changed"]) == (told["handled"], [])
        numbers = [int(each["data"]) for each in recording.of("send", routing_key="tick")]
        assert numbers
        assert (gaps(numbers), recording.losses, recording.dropped) == ([], [], 0)
    print(
        f"\n{Path(python).parts[-3]} {name}: {TIMES} of {TIMES}; stopped {median(stopped):.0f} ms (at most {max(stopped):.0f}), "
        f"busy {median(busy):.0f} ms (at most {max(busy):.0f})"
    )
