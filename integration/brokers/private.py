"""A broker of one test's own, which may be killed and started again on its ports and data."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from integration.brokers import descendants, native
from integration.brokers.answering import answers

if TYPE_CHECKING:
    from types import TracebackType

    from integration.brokers.address import Address


class Private:
    """A broker started from its packages, ended and removed at the end of the block.

    Args:
        name: rabbitmq, redis or kafka.

    Attributes:
        address: where it answers, the same after each start.
    """

    def __init__(self, name: str) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="msgtrace-test-"))
        folder = self._root / name
        folder.mkdir()
        self._launch = native.launch(name, folder)
        self.address: Address = self._launch.address
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start its processes and wait until it answers.

        Raises:
            TimeoutError: it did not in the time that it may take.
        """
        with (self._root / "output.log").open("ab") as log:
            self._running = [
                subprocess.Popen(
                    command.argv,
                    env={**os.environ, **command.environment},
                    cwd=self._root,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                for command in self._launch.commands
            ]
        deadline = time.monotonic() + self._launch.limit_s
        while not answers(self.address):
            if time.monotonic() > deadline:
                said = (self._root / "output.log").read_text(errors="replace")[-1500:]
                raise TimeoutError(f"no answer from {self.address.url}: {said}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End every process of it at once, with SIGKILL: nothing is said to its clients, nothing is saved."""
        for process in self._running:
            below = descendants.below(process.pid)
            process.kill()
            for each in below:
                descendants.kill(each)
            process.wait()
            for each in below:
                assert descendants.wait_until_gone(each, 10), each
        self._running = []

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._root, ignore_errors=True)
