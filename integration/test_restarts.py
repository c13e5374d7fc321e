"""RabbitMQ and Kafka killed and started again in mid-stream: programs go on as they do without us, and all is recorded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.recorded import read
from integration.restarting import PrivateBroker
from msgtrace.commands.target import environment
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.recorded import Recording

PROGRAMS = Path(__file__).parent / "programs" / "faults"


class Running:
    """A program in the background, and how its operations have ended so far."""

    def __init__(self, program: str, arguments: list[str], env: dict[str, str] | None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / f"{program}.py"), *arguments],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.strip())

    def wait_for_ok(self, count: int, after: int = 0) -> None:
        """Until so many more operations have ended well."""
        deadline = time.monotonic() + 90
        while self.lines[after:].count("ok") < count:
            assert self.process.poll() is None, self.lines[-30:]
            assert time.monotonic() < deadline, self.lines[-30:]
            time.sleep(0.02)

    def account(self) -> Any:
        """Tell it to stop; what it says that it did."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        said = self.process.stdout.read()
        assert self.process.wait(90) == 0, self.lines[-30:]
        self._reading.join()
        return json.loads(said)

    def end(self) -> None:
        """Whatever it was at."""
        self.process.kill()
        self._reading.join()
        self.process.__exit__(None, None, None)  # closes its pipes, and waits


@pytest.fixture
def spool() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


def through_restarts(
    name: str, program: str, down_s: tuple[float, ...], folder: Path, spool: Path
) -> tuple[Any, Any, Recording]:
    """Run a program twice at the same time, recorded and not, while their broker is killed and started again.

    Returns:
        the accounts of both, recorded first, and what was recorded.
    """
    with PrivateBroker(name, folder) as broker:
        recorded = Running(program, [broker.url, "recorded"], environment(Settings(), spool))
        plain = Running(program, [broker.url, "plain"], None)
        programs = (recorded, plain)
        try:
            for down in down_s:
                marks = [len(each.lines) for each in programs]
                for each, mark in zip(programs, marks, strict=True):
                    each.wait_for_ok(30, mark)
                broker.kill()
                time.sleep(down)
                marks = [len(each.lines) for each in programs]
                broker.restart()
                for each, mark in zip(programs, marks, strict=True):
                    each.wait_for_ok(30, mark)
            accounts = [each.account() for each in programs]
        finally:
            for each in programs:
                each.end()
    return accounts[0], accounts[1], read(spool)


def error_name(operation: Any) -> str:
    return str(operation.error_type).rpartition(".")[2]


@pytest.mark.rabbitmq
def test_rabbitmq_restarted_in_mid_stream(tmp_path: Path, spool: Path) -> None:
    through_rabbitmq_restarts(tmp_path, spool, (0.5,))


@pytest.mark.soak
@pytest.mark.rabbitmq
def test_rabbitmq_restarted_five_times(tmp_path: Path, spool: Path) -> None:
    through_rabbitmq_restarts(tmp_path, spool, (0, 0.2, 1, 3, 0))


def through_rabbitmq_restarts(folder: Path, spool: Path, down_s: tuple[float, ...]) -> None:
    recorded, plain, recording = through_restarts("rabbitmq", "amqp_restart", down_s, folder, spool)
    for account in (recorded, plain):
        confirmed = {n for n, outcome in enumerate(account["outcomes"]) if outcome == "ok"}
        assert confirmed <= {number for number, _ in account["received"]}
    # What aio-pika refuses while its channel is closed is never sent (docs/hooks/aio_pika.md).
    sends = recording.of("send")
    ended = {int(each["body"]): "ok" if each.outcome == "ack" else error_name(each) for each in sends}
    assert len(ended) == len(sends)
    sent = {n: outcome for n, outcome in enumerate(recorded["outcomes"]) if outcome != "ChannelInvalidStateError"}
    assert {n: outcome for n, outcome in ended.items() if outcome != "ChannelInvalidStateError"} == sent
    receives = recording.of("receive")
    assert [[int(each["body"]), bool(each["redelivered"])] for each in receives] == recorded["received"]
    assert recording.losses == []
    opened = [each for each in recording.of("connect") if each.outcome == "ok"]
    print(
        f"rabbitmq: {len(sends)} sends, {sum(each.outcome != 'ack' for each in sends)} not confirmed, {len(receives)} receives, "
        f"{sum(bool(each['redelivered']) for each in receives)} again, {len(opened)} connections"
    )


@pytest.mark.kafka
def test_kafka_restarted_in_mid_stream(tmp_path: Path, spool: Path) -> None:
    through_kafka_restarts(tmp_path, spool, (0,))


@pytest.mark.soak
@pytest.mark.kafka
def test_kafka_restarted_three_times(tmp_path: Path, spool: Path) -> None:
    through_kafka_restarts(tmp_path, spool, (0, 5, 0))


def through_kafka_restarts(folder: Path, spool: Path, down_s: tuple[float, ...]) -> None:
    recorded, plain, recording = through_restarts("kafka", "kafka_restart", down_s, folder, spool)
    for account in (recorded, plain):
        acknowledged = {(n, offset) for n, offset in enumerate(account["outcomes"]) if isinstance(offset, int)}
        assert acknowledged <= {(number, offset) for number, offset in account["received"]}
    sends = recording.of("send")
    assert [int(each["body"]) for each in sends] == list(range(len(recorded["outcomes"])))
    assert [each["log_offset"] if each.outcome == "ok" else error_name(each) for each in sends] == recorded["outcomes"]
    receives = recording.of("receive")
    assert [[int(each["body"]), each["log_offset"]] for each in receives] == recorded["received"]
    assert recording.losses == []
    print(f"kafka: {len(sends)} sends, {sum(each.outcome != 'ok' for each in sends)} not ok, {len(receives)} receives")
