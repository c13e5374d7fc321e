"""Brokers restarted and clocks set in mid-traffic: what is found equals what the programs know happened."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from integration.brokers.address import Kafka, Rabbitmq, Redis
from integration.delivery_runs import Run, in_order_by_partition, overtaken, play, through_a_fault
from integration.restarting import private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers.private import Private


def restart(broker: Private) -> Callable[[], None]:
    """A fault: the broker is killed, and there again half a second and its own start later."""

    def fault() -> None:
        broker.kill()
        time.sleep(0.5)
        broker.start()

    return fault


class Clocks:
    """Clocks of processes, that a test can set while they run."""

    def __init__(self, library: Path, folder: Path, *roles: str) -> None:
        self._files = {role: folder / f"clock-{role}" for role in roles}
        for file in self._files.values():
            file.write_text("+0s")
        self.environment = {
            "CLOCKS": json.dumps({"library": str(library), **{role: str(file) for role, file in self._files.items()}})
        }

    def step(self) -> None:
        """A fault: the first clock goes back and then on by more, the others the other way; a second each at least."""
        for back, on in (("-1.2s", "+1.7s"), ("+2.9s", "-2.4s")):
            for number, file in enumerate(self._files.values()):
                whole = file.with_suffix(".new")
                whole.write_text(on if number else back)
                whole.replace(file)
            time.sleep(0.25)

    def were_stepped(self, run: Run, role: str) -> None:
        """Hold a role's notes against what was set: that it had happened at all."""
        first = run.noted("publish" if role == "producer" else "received")
        off = [note["clock_ns"] - note["at_ns"] for note in first]
        assert max(off) - min(off) > 2e9, off


@pytest.mark.rabbitmq
def test_clocks_set_under_rabbitmq(
    rabbitmq: Rabbitmq, unique: Callable[[str], str], tmp_path: Path, libfaketime: Path
) -> None:
    clocks = Clocks(libfaketime, tmp_path, "worker", "producer")
    run = play(
        "amqp_driver.py", tmp_path, rabbitmq.url, unique("set"), "cut", env=clocks.environment, fault=clocks.step
    )
    for role in ("worker", "producer"):
        clocks.were_stepped(run, role)
    assert run.again == 0
    through_a_fault(run)
    run.lag_is_right()
    assert run.found.missing == ()


@pytest.mark.soak
@pytest.mark.kafka
def test_clocks_set_under_kafka(kafka: Kafka, unique: Callable[[str], str], tmp_path: Path, libfaketime: Path) -> None:
    clocks = Clocks(libfaketime, tmp_path, "member", "producer")
    run = play(
        "kafka_driver.py", tmp_path, kafka.bootstrap, unique("set"), "cut", env=clocks.environment, fault=clocks.step
    )
    clocks.were_stepped(run, "member")
    run.delivered_again_is_right()
    in_order_by_partition(run)
    run.lag_is_right()
    assert run.found.missing == ()


@pytest.mark.soak
@pytest.mark.redis
def test_clocks_set_under_redis(
    redis_server: Redis, unique: Callable[[str], str], tmp_path: Path, libfaketime: Path
) -> None:
    clocks = Clocks(libfaketime, tmp_path, "worker")
    run = play(
        "redis_driver.py", tmp_path, redis_server.url, unique("set"), "cut", env=clocks.environment, fault=clocks.step
    )
    clocks.were_stepped(run, "worker")
    run.delivered_again_is_right()
    run.lag_is_right()
    assert run.again == 0
    assert run.found.missing == ()


@pytest.mark.soak
@pytest.mark.rabbitmq
def test_rabbitmq_restarted_in_mid_traffic(tmp_path: Path, unique: Callable[[str], str]) -> None:
    with private("rabbitmq") as broker:
        assert isinstance(broker.address, Rabbitmq)
        through_a_fault(
            play("amqp_driver.py", tmp_path, broker.address.url, unique("restart"), "cut", fault=restart(broker))
        )


@pytest.mark.soak
@pytest.mark.kafka
def test_kafka_restarted_in_mid_traffic(tmp_path: Path, unique: Callable[[str], str]) -> None:
    with private("kafka") as broker:
        assert isinstance(broker.address, Kafka)
        run = play(
            "kafka_driver.py", tmp_path, broker.address.bootstrap, unique("restart"), "cut", fault=restart(broker)
        )
    run.delivered_again_is_right()
    in_order_by_partition(run)
    run.lag_is_right()
    assert run.lag().last == 0
    assert not [each for each in run.found.missing if each.kind == "not received"]
    print(len(run.receipts()), "received,", run.again, "again", run.found.missing)


@pytest.mark.soak
@pytest.mark.redis
def test_redis_restarted_in_mid_traffic(tmp_path: Path, unique: Callable[[str], str]) -> None:
    """It comes back with what it had saved before: what was sent since is lost, and what was acknowledged since comes again."""
    with private("redis") as broker:
        assert isinstance(broker.address, Redis)
        run = play("redis_driver.py", tmp_path, broker.address.url, unique("restart"), "cut", fault=restart(broker))
    run.delivered_again_is_right()
    (order,) = run.found.orders
    published = [(note["number"], note["turn"]) for note in run.noted("publish")]
    assert order.violations == overtaken(published.index(each) for each in run.receipts())
    sent = {(note["number"], note["turn"]) for note in run.noted("sent")}
    lost = sent - set(run.receipts())
    print(len(sent), "sent,", len(lost), "lost,", run.again, "again", run.found.missing, run.found.lags)
    passed = [each for each in run.found.missing if each.kind in {"not received", "passed over"}]
    assert sum(each.messages for each in passed) == len(lost)
