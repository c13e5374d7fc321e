"""The process that owns running brokers: starts them, says where they are, and ends them with itself.

Run as `python -m integration.brokers.keeper FOLDER MEANS NAME...` by integration/brokers/kept.py. It writes one JSON line per
broker to standard output. It ends its brokers and removes FOLDER when it gets SIGTERM, or when its standard
input ends (the starter died, however it died) unless `detach` was read from there first.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import NoReturn

from integration.brokers import descendants, engine, native
from integration.brokers.answering import answers

ATTEMPTS = 2
DETACH = b"detach\n"
# What `down` ends when a keeper was killed before it could.
PROCESSES_FILE = "processes.json"


class Start:
    """One broker on its way up."""

    def __init__(self, name: str, means: str, folder: Path) -> None:
        self.name = name
        self._means = means
        self.answered_after_s: float | None = None
        self.failure = ""
        self._folder = folder
        self._attempt = 0
        self._began = time.monotonic()
        self._launch()

    def _launch(self) -> None:
        self._attempt += 1
        place = self._folder / f"{self.name}-{self._attempt}"
        place.mkdir()
        self._log = place / "output.log"
        self.launch = (engine if self._means == "docker" else native).launch(self.name, place)
        with self._log.open("wb") as log:
            self._processes = [
                subprocess.Popen(
                    command.argv,
                    env={**os.environ, **command.environment},
                    cwd=place,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                for command in self.launch.commands
            ]

    @property
    def pending(self) -> bool:
        return self.answered_after_s is None and not self.failure

    def look(self) -> None:
        """Notes that the broker answers, or that it never will."""
        took_s = time.monotonic() - self._began
        dead = [process for process in self._processes if process.poll() is not None]
        if dead and self._attempt < ATTEMPTS:
            # Most likely somebody took a port between its choice and its use.
            for process in self._processes:
                process.kill()
            self._launch()
        elif dead or took_s > self.launch.limit_s:
            why = f"ended with {dead[0].returncode}" if dead else f"did not answer within {took_s:.0f} s"
            said = self._log.read_text(errors="replace").strip()[-1500:]
            self.failure = f"{self.launch.commands[-1].argv[0]} {why}: {said}"
        elif answers(self.launch.address):
            self.answered_after_s = took_s

    def undo(self) -> None:
        """Removes what outlives the processes."""
        if command := self.launch.undo:
            environment = {**os.environ, **command.environment}
            subprocess.run(command.argv, env=environment, capture_output=True, timeout=60, check=False)

    def report(self) -> str:
        """One line for the starter; the shape is `kept.Report`."""
        return json.dumps(
            {
                "name": self.name,
                "address": None if self.failure else asdict(self.launch.address),  # type: ignore[call-overload]
                "failure": self.failure,
                "took_s": round(self.answered_after_s or 0.0, 2),
            }
        )


def _starter_is_gone() -> bool:
    """True once standard input has ended, without waiting longer than a moment for it."""
    readable, _, _ = select.select([0], [], [], 0.05)
    return bool(readable) and os.read(0, 64) == b""


def _bring_up(folder: Path, starts: list[Start]) -> None:
    while waiting := [start for start in starts if start.pending]:
        if _starter_is_gone():
            return
        for start in waiting:
            start.look()
            if not start.pending:
                sys.stdout.write(start.report() + "\n")
                sys.stdout.flush()
    below = [[process.pid, process.started] for process in descendants.below(os.getpid())]
    (folder / PROCESSES_FILE).write_text(json.dumps(below))
    sys.stdout.close()
    os.close(1)


def _stay() -> None:
    """Returns when the starter is gone; never when it has detached."""
    if os.read(0, 64) == DETACH:
        while True:
            signal.pause()


def _told_to_end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def main() -> None:
    """Starts what the command line names, waits, and leaves nothing behind."""
    folder, means, names = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    starts: list[Start] = []
    descendants.adopt_orphans()
    signal.signal(signal.SIGTERM, _told_to_end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        starts.extend(Start(name, means, folder) for name in names)
        _bring_up(folder, starts)
        _stay()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        descendants.end_all_below_me()
        for start in starts:
            start.undo()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
