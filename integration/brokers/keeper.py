"""The process that owns running brokers: starts them, says where they are, and ends them with itself.

Run as `python -m integration.brokers.keeper FOLDER MEANS NAME...` by integration/brokers/kept.py. It writes a
JSON line per broker to standard output. It ends its brokers and removes FOLDER when it gets SIGTERM, or when
its standard input ends (the starter died, however it died) unless `detach` was read from there first.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec

from integration.brokers import descendants, engine, native
from integration.brokers.answering import answers
from integration.brokers.descendants import Process
from integration.brokers.native import Command

ATTEMPTS = 2
DETACH = b"detach\n"
REMAINS_FILE = "remains.json"


@dataclass(frozen=True, slots=True)
class Report:
    """What a keeper says of one broker.

    Attributes:
        name: rabbitmq, redis or kafka.
        address: Fields of the broker's address; None when it failed.
        failure: Why it did not start; empty when it did.
        took_s: From its first process to its first answer.
    """

    name: str
    address: dict[str, str | int] | None
    failure: str
    took_s: float


@dataclass(frozen=True, slots=True)
class Remains:
    """What somebody else has to do when a keeper is killed: kept in its folder as REMAINS_FILE.

    Attributes:
        processes: Everything below the keeper.
        undo: Commands for what is no process of ours.
    """

    processes: list[Process]
    undo: list[Command]


class Start:
    """One broker on its way up."""

    def __init__(self, name: str, means: str, folder: Path) -> None:
        self.failure = ""
        self.pending = True
        self._name = name
        self._means = means
        self._folder = folder
        self._attempt = 0
        self._began = time.monotonic()
        self._launch()

    def _launch(self) -> None:
        self._attempt += 1
        place = self._folder / f"{self._name}-{self._attempt}"
        place.mkdir()
        self._log = place / "output.log"
        self.launch = (engine if self._means == "docker" else native).launch(self._name, place)
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

    def look(self) -> Report | None:
        """Looks once; says so when the broker answers, or that it never will."""
        took_s = time.monotonic() - self._began
        dead = [process for process in self._processes if process.poll() is not None]
        if dead and self._attempt < ATTEMPTS:
            # Most likely somebody took a port between its choice and its use.
            self._end_processes()
            self._launch()
        elif dead or took_s > self.launch.limit_s:
            why = f"ended with {dead[0].returncode}" if dead else f"did not answer within {took_s:.0f} s"
            said = self._log.read_text(errors="replace").strip()[-1500:]
            self.failure = f"{self.launch.commands[-1].argv[0]} {why}: {said}"
            self.pending = False
            self._end_processes()
            return Report(self._name, None, self.failure, took_s)
        elif answers(self.launch.address):
            self.pending = False
            return Report(self._name, msgspec.to_builtins(self.launch.address), "", round(took_s, 2))
        return None

    def _end_processes(self) -> None:
        for process in self._processes:
            for below in descendants.below(process.pid):
                descendants.kill(below)
            process.kill()
            process.wait()


def _starter_is_gone() -> bool:
    """True once standard input has ended, without waiting longer than a moment for it."""
    readable, _, _ = select.select([0], [], [], 0.05)
    return bool(readable) and os.read(0, 64) == b""


def _write_remains(folder: Path, starts: list[Start]) -> None:
    undo = [start.launch.undo for start in starts if start.launch.undo]
    remains = Remains(descendants.below(os.getpid()), undo)
    (folder / REMAINS_FILE).write_bytes(msgspec.json.encode(remains))


def _bring_up(folder: Path, starts: list[Start]) -> bool:
    """Reports on every broker; False when the starter has gone meanwhile."""
    _write_remains(folder, starts)
    while waiting := [start for start in starts if start.pending]:
        if _starter_is_gone():
            return False
        for start in waiting:
            if report := start.look():
                _write_remains(folder, starts)
                sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
                sys.stdout.flush()
    # The starter reads to the end.
    os.close(1)
    return True


def _stay() -> None:
    """Returns when the starter is gone; never when it has detached."""
    # RabbitMQ orphans short-lived helpers now and then, which come to us.
    signal.signal(signal.SIGCHLD, lambda _number, _frame: descendants.reap() and None)
    descendants.reap()
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
        if _bring_up(folder, starts):
            _stay()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        descendants.end_all_below_me()
        for start in starts:
            if start.launch.undo:
                native.run(start.launch.undo)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
