"""RabbitMQ and Kafka killed and started again in mid-stream: the program goes on, and every call's outcome is recorded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.brokers import native
from integration.brokers.address import Kafka
from integration.brokers.private import Private
from integration.recorded import read
from msgtrace.commands.target import environment
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from integration.recorded import Operation, Recording

PROGRAMS = Path(__file__).parent / "programs" / "faults"


class Account:
    """A program, and what it says while it runs, read by a thread so that it never waits for us."""

    def __init__(self, arguments: list[str], env: dict[str, str] | None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self._lines.append(line.strip())

    def end(self) -> str:
        """Tell the program to end, and wait until it has; what it printed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        with self._process.stdout as stdout:
            printed = stdout.read()
        self._reading.join()
        assert self._process.wait(60) == 0, self._lines[-20:]
        return printed

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def wait(self, count: int) -> None:
        """Wait until it has said `ok` so many times from now."""
        begun = self._lines.count("ok")
        deadline = time.monotonic() + 90
        while self._lines.count("ok") < begun + count:
            assert self._process.poll() is None, self._lines[-5:]
            assert time.monotonic() < deadline, f"no {count} more: {self._lines[-5:]}"
            time.sleep(0.02)


def through_a_restart(name: str, program: str, down_s: float, *, kills: int = 1) -> Recording:
    """Run a program while its broker is killed, is down for so many seconds, and comes back; `kills` times.

    The very same runs beside it without us, and has to go on as long.
    """
    if why := native.missing(name):
        pytest.skip(f"restarting a broker needs one of the test's own: {why}")
    spool = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    running: list[Account] = []
    try:
        with Private(name) as broker:
            url = broker.address.bootstrap if isinstance(broker.address, Kafka) else broker.address.url
            running.append(Account([str(PROGRAMS / program), url, "ticks"], environment(Settings(), spool)))
            running.append(Account([str(PROGRAMS / program), url, "plain-ticks"], None))
            for _ in range(kills):
                for account in running:
                    account.wait(20)
                broker.kill()
                time.sleep(down_s)
                broker.start()
                for account in running:
                    account.wait(20)
            stdout, _ = [account.end() for account in running]
        recording = read(spool)
    finally:
        for account in running:
            account.kill()
        shutil.rmtree(spool)
    recording.stdout = stdout
    return recording


def ended(operation: Operation) -> str:
    """How an operation ended, as the programs say it."""
    return "ok" if operation.error_type is None else operation.error_type.rpartition(".")[2]


def rabbitmq_is_recorded(recording: Recording) -> dict[str, list[Any]]:
    """Hold what was recorded against the program's account."""
    account: dict[str, list[Any]] = json.loads(recording.stdout)
    sends = recording.of("send")
    # What aio-pika refuses was never sent (docs/hooks/aio_pika.md).
    happened = [[number, outcome] for number, outcome in enumerate(account["sent"]) if outcome != "refused"]
    assert [[int(send["body"]), ended(send)] for send in sends] == happened
    assert all(send.outcome != "unknown" for send in sends)
    assert [int(receive["body"]) for receive in recording.of("receive")] == account["received"]
    settles = recording.of("settle")
    assert [ended(settle) for settle in settles] == account["settled"]
    assert recording.losses == []
    assert recording.dropped == 0
    return account


def kafka_is_recorded(recording: Recording) -> dict[str, list[Any]]:
    """Hold what was recorded against the program's account."""
    account: dict[str, list[Any]] = json.loads(recording.stdout)
    sends = recording.of("send")
    assert [int(send["body"]) for send in sends] == list(range(len(account["sent"])))
    recorded = [send["log_offset"] if send.outcome == "ok" else ended(send) for send in sends]
    assert recorded == account["sent"]
    receives = [[receive["log_offset"], int(receive["body"])] for receive in recording.of("receive")]
    assert receives == account["received"]
    assert recording.losses == []
    assert recording.dropped == 0
    return account


@pytest.mark.rabbitmq
@pytest.mark.soak
def test_rabbitmq_restarted_in_mid_stream() -> None:
    account = rabbitmq_is_recorded(through_a_restart("rabbitmq", "rabbitmq_outage.py", 0.5))
    assert account["sent"][-1] == "ok"
    assert set(account["sent"]) - {"ok"}, "no publish failed: the broker was not missed"


@pytest.mark.soak
@pytest.mark.kafka
def test_kafka_restarted_in_mid_stream() -> None:
    account = kafka_is_recorded(through_a_restart("kafka", "kafka_outage.py", 0.5))
    errors = [outcome for outcome in account["sent"] if isinstance(outcome, str)]
    assert errors, "no record was given up: the broker was not missed"
    assert isinstance(account["sent"][0], int)
    print(f"kafka: {len(account['sent'])} sent, {len(errors)} given up, {len(account['received'])} received")


@pytest.mark.soak
@pytest.mark.rabbitmq
def test_rabbitmq_restarted_five_times() -> None:
    account = rabbitmq_is_recorded(through_a_restart("rabbitmq", "rabbitmq_outage.py", 1, kills=5))
    print(f"rabbitmq: {Counter(account['sent'])}, {len(account['received'])} received, {Counter(account['settled'])}")
