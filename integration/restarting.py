"""A private broker that a test kills and starts again, in the same folder and on the same ports."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Self

import pytest

from integration.brokers import descendants, native
from integration.brokers.answering import answers

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class PrivateBroker:
    """A RabbitMQ or Kafka of the test's own, running inside the `with` block.

    Args:
        name: `rabbitmq` or `kafka`.
        folder: empty; its data and its log.
    """

    def __init__(self, name: str, folder: Path) -> None:
        if reason := native.missing(name):
            if os.environ.get("CI") == "true":
                pytest.fail(f"no {name} to restart: {reason}", pytrace=False)
            pytest.skip(f"no {name} to restart: {reason}")
        self._launch = native.launch(name, folder)
        self._log = folder / "output.log"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.url = self._launch.address.url

    def __enter__(self) -> Self:
        try:
            for command in self._launch.commands:
                self._start(command)
            self._wait()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._processes:
            self.kill()

    def _start(self, command: native.Command) -> None:
        with self._log.open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    command.argv,
                    env={**os.environ, **command.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + self._launch.limit_s
        while not answers(self._launch.address):
            assert self._processes[-1].poll() is None, self._log.read_text()[-2_000:]
            assert time.monotonic() < deadline, "the broker does not answer"
            time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL the broker and everything below it: it says goodbye to nobody."""
        process = self._processes.pop()
        below = descendants.below(process.pid)
        process.kill()
        for each in below:
            descendants.kill(each)
        process.wait()
        for each in below:
            assert descendants.wait_until_gone(each, 10), each

    def restart(self) -> None:
        """Start it again with what it had written, and wait until it answers."""
        command = self._launch.commands[-1]
        if "kafka.Kafka" in command.argv:  # its folder is formatted already
            last_java = len(command.argv) - 1 - command.argv[::-1].index("java")
            command = native.Command(command.argv[last_java:], command.environment)
        self._start(command)
        self._wait()
