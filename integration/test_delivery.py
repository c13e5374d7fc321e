"""Faults made for real: what is found of duplicates, gaps, order, lag and rebalances equals what the programs know happened."""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from integration.brokers.address import Rabbitmq
from integration.restarting import private
from integration.traced import PROGRAMS, Started
from msgtrace_analysis.passes import prepare
from msgtrace_analysis.passes.delivery import guarantees
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from integration.brokers import Kafka, Redis
    from integration.traced import Ended
    from msgtrace_analysis.findings import Consumer, Guarantees, Lag, Order

HERE = PROGRAMS / "delivery"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a scenario: what was found, and what its processes noted."""

    found: Guarantees
    notes: list[dict[str, Any]]

    def noted(self, what: str) -> list[dict[str, Any]]:
        return [note for note in self.notes if note["what"] == what]

    def receipts(self) -> list[tuple[int, int]]:
        """The messages that workers were given, in order of time."""
        return [(note["number"], note.get("turn", 0)) for note in self.noted("received")]

    @property
    def again(self) -> int:
        """Deliveries beyond the first."""
        return len(self.receipts()) - len(set(self.receipts()))

    def consumer(self) -> Consumer:
        (consumer,) = self.found.consumers
        return consumer

    def order(self, scope: str) -> Order:
        (order,) = [each for each in self.found.orders if each.scope == scope]
        return order

    def lag(self) -> Lag:
        (lag,) = self.found.lags
        return lag

    def waiting(self) -> tuple[int, int]:
        """Messages sent and not received: the most, within one, and at the end."""
        changes = [(note["at_ns"], 1) for note in self.noted("sent")]
        seen: set[int] = set()
        for note in self.noted("received"):
            if note["number"] not in seen:
                seen.add(note["number"])
                changes.append((note["at_ns"], -1))
        depth = largest = 0
        for _, change in sorted(changes):
            depth += change
            largest = max(largest, depth)
        return largest, depth

    def delivered_again_is_right(self) -> None:
        """Hold the duplicates against the notes."""
        counted = Counter(self.receipts())
        found = self.found.duplicates
        assert sum(each.messages for each in found) == sum(count > 1 for count in counted.values())
        assert sum(each.deliveries for each in found) == self.again

    def lag_is_right(self) -> None:
        """Hold the lag against the notes; a send is noted when it has ended, and found when it begins."""
        largest, last = self.waiting()
        assert self.lag().last == last
        assert abs(self.lag().largest - largest) <= 1


def overtaken(positions: Iterable[int]) -> int:
    """Of positions in order of time, those that come after a later one; each counts the first time."""
    reached, late, seen = -1, 0, set()
    for position in positions:
        if position not in seen:
            seen.add(position)
            late += position < reached
            reached = max(reached, position)
    return late


def examined(ended: Ended, ledgers: Path) -> Run:
    assert ended.code == 0, ended.stderr[-2_000:]
    with open_trace(ended.trace) as trace, Study(trace) as study:
        prepare(study)
        found = guarantees(study)
    lines = [line for path in ledgers.glob("*.jsonl") for line in path.read_text().splitlines()]
    notes = sorted((json.loads(line) for line in lines if line.endswith("}")), key=lambda note: note["at_ns"])
    return Run(found, notes)


def play(
    driver: str,
    folder: Path,
    *arguments: str,
    env: dict[str, str] | None = None,
    fault: Callable[[], None] | None = None,
) -> Run:
    """Run a scenario under `msgtrace run`, and make a fault when it is ready for it."""
    ledgers = folder / "ledgers"
    ledgers.mkdir()
    with Started([sys.executable, str(HERE / driver), str(ledgers), *arguments], folder, env=env) as started:
        if fault is not None:
            started.wait_for("ready")
            fault()
            (ledgers / "go").touch()
        ended = started.end()
    return examined(ended, ledgers)


# ---- RabbitMQ -------------------------------------------------------------------------------------------------------


@pytest.mark.rabbitmq
@pytest.mark.parametrize(
    ("fault", "mode", "moment", "guarantee"),
    [
        ("none", "manual", "after the work", "at least once"),
        ("early", "manual", "before the work", "at most once"),
        ("automatic", "on receipt", "before the work", "at most once"),
    ],
)
def test_the_moment_of_acknowledging(
    rabbitmq: Rabbitmq, unique: Callable[[str], str], tmp_path: Path, fault: str, mode: str, moment: str, guarantee: str
) -> None:
    run = play("amqp_driver.py", tmp_path, rabbitmq.url, unique("moment"), fault)
    consumer = run.consumer()
    assert (consumer.mode, consumer.moment, consumer.guarantee) == (mode, moment, guarantee)
    assert (consumer.receives, consumer.settled) == (40, 0 if fault == "automatic" else 40)
    assert run.found.duplicates == ()
    assert run.found.missing == ()
    assert run.order("queue").violations == 0
    run.lag_is_right()


@pytest.mark.rabbitmq
@pytest.mark.parametrize("shift_s", [0, -1.5, 1.5])
def test_a_worker_killed_between_work_and_acknowledgement(
    rabbitmq: Rabbitmq, unique: Callable[[str], str], tmp_path: Path, shift_s: float, libfaketime: Path
) -> None:
    """Also with a worker whose clock is off: nothing may rest on two clocks agreeing."""
    env = None
    if shift_s:
        env = {"SHIFT_WORKER": str(libfaketime), "FAKETIME": f"{shift_s:+}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    run = play("amqp_driver.py", tmp_path, rabbitmq.url, unique("killed"), "killed", env=env)
    assert run.again == 1
    run.delivered_again_is_right()
    (again,) = run.found.duplicates
    assert (again.after_silence, again.flagged, again.effects, again.repeats) == (1, 1, "repeated", 1)
    assert run.order("queue").violations == 0
    assert run.order("queue").consumers == 2
    assert run.found.missing == ()
    run.lag_is_right()


@pytest.mark.rabbitmq
def test_a_slow_worker(rabbitmq: Rabbitmq, unique: Callable[[str], str], tmp_path: Path) -> None:
    run = play("amqp_driver.py", tmp_path, rabbitmq.url, unique("slow"), "slow")
    run.lag_is_right()
    assert run.lag().last > 10
    assert run.found.duplicates == ()
    (load,) = run.found.loads
    assert (load.limit, load.in_flight, load.at_once, load.processes) == (1, 1, 1, 1)
    assert load.p50_ms is not None
    assert load.p50_ms >= 30  # it sleeps so long
    unsettled = len(run.receipts()) - len(run.noted("acked"))
    assert sum(each.messages for each in run.found.missing if each.kind == "unsettled") == unsettled


def through_a_fault(run: Run) -> None:
    """Hold everything against the notes of a run whose connections were cut."""
    run.delivered_again_is_right()
    published = [(note["number"], note["turn"]) for note in run.noted("publish")]
    firsts = [published.index(each) for each in run.receipts()]
    assert run.order("queue").violations == overtaken(firsts)
    gone = {(note["number"], note["turn"]) for note in run.noted("failed")} - set(run.receipts())
    refused = [each for each in run.found.missing if each.kind == "refused" and each.channel.endswith(".jobs")]
    # aio-pika refuses some before there is anything to record.
    assert sum(each.messages for each in refused) <= len(gone)
    assert run.lag().last == 0
    assert not [each for each in run.found.missing if each.kind == "not received"]


@pytest.mark.rabbitmq
def test_connections_cut_in_mid_traffic(rabbitmq: Rabbitmq, unique: Callable[[str], str], tmp_path: Path) -> None:
    prefix = unique("cut")

    def cut() -> None:
        deadline = time.monotonic() + 30
        while not (names := connections_of(rabbitmq, prefix)):
            assert time.monotonic() < deadline, "the broker lists no connection of these"
            time.sleep(0.2)
        for name in names:
            ask(rabbitmq, f"connections/{urllib.parse.quote(name, safe='')}", "DELETE")
        time.sleep(0.5)

    through_a_fault(play("amqp_driver.py", tmp_path, rabbitmq.url, prefix, "cut", fault=cut))


def connections_of(rabbitmq: Rabbitmq, prefix: str) -> list[str]:
    """Names of the connections with a consumer of our queues, as the management API has them (it is some seconds late)."""
    return sorted({
        each["channel_details"]["connection_name"]
        for each in ask(rabbitmq, "consumers")
        if each["queue"]["name"].startswith(prefix) and each["channel_details"].get("connection_name")
    })  # fmt: skip


def ask(rabbitmq: Rabbitmq, path: str, method: str = "GET") -> Any:
    """Ask the management API."""
    url = urllib.parse.urlsplit(rabbitmq.management_url)
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    bare = f"{url.scheme}://{url.hostname}:{url.port}/api/{path}"
    passwords.add_password(None, bare, url.username or "", url.password or "")
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    with opener.open(urllib.request.Request(bare, method=method), timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@pytest.mark.soak
@pytest.mark.rabbitmq
def test_broker_restarted_in_mid_traffic(tmp_path: Path, unique: Callable[[str], str]) -> None:
    with private("rabbitmq") as broker:
        assert isinstance(broker.address, Rabbitmq)

        def restart() -> None:
            broker.kill()
            time.sleep(0.5)
            broker.start()

        through_a_fault(play("amqp_driver.py", tmp_path, broker.address.url, unique("restart"), "cut", fault=restart))


# ---- Kafka ----------------------------------------------------------------------------------------------------------


def in_order_by_partition(run: Run) -> None:
    """Hold the order of each partition against the notes."""
    places: dict[int, list[int]] = {}
    for note in run.noted("received"):
        places.setdefault(note["partition"], []).append(note["offset"])
    assert run.order("partition").violations == sum(overtaken(offsets) for offsets in places.values())
    assert run.order("partition").lanes == len(places)


@pytest.mark.kafka
def test_a_member_killed_between_work_and_commit(kafka: Kafka, unique: Callable[[str], str], tmp_path: Path) -> None:
    run = play("kafka_driver.py", tmp_path, kafka.bootstrap, unique("killed"), "killed")
    assert run.again == 1
    run.delivered_again_is_right()
    (again,) = run.found.duplicates
    assert (again.after_silence, again.effects, again.repeats) == (1, "repeated", 1)
    assert run.consumer().guarantee == "at least once"
    (rebalance,) = run.found.rebalances
    assert rebalance.rebalances >= 1
    assert (rebalance.members, rebalance.moved, rebalance.repeated) == (1, 2, 1)
    in_order_by_partition(run)
    run.lag_is_right()
    assert run.found.missing == ()


@pytest.mark.kafka
def test_a_rebalance(kafka: Kafka, unique: Callable[[str], str], tmp_path: Path) -> None:
    run = play("kafka_driver.py", tmp_path, kafka.bootstrap, unique("joined"), "joined")
    run.delivered_again_is_right()
    (rebalance,) = run.found.rebalances
    assert (rebalance.members, rebalance.moved, rebalance.repeated) == (2, 1, run.again)
    assert rebalance.rebalances >= 1
    in_order_by_partition(run)
    run.lag_is_right()


@pytest.mark.kafka
def test_a_slow_member(kafka: Kafka, unique: Callable[[str], str], tmp_path: Path) -> None:
    run = play("kafka_driver.py", tmp_path, kafka.bootstrap, unique("slow"), "slow")
    run.lag_is_right()
    assert run.lag().last > 10


# ---- Redis ----------------------------------------------------------------------------------------------------------


@pytest.mark.redis
@pytest.mark.parametrize(
    ("fault", "mode", "guarantee"),
    [
        ("killed", "manual", "at least once"),
        ("noack", "on receipt", "at most once"),
        ("slow", "manual", "at least once"),
        ("list", "on receipt", "at most once"),
    ],
)
def test_streams_and_lists(
    redis_server: Redis, unique: Callable[[str], str], tmp_path: Path, fault: str, mode: str, guarantee: str
) -> None:
    run = play("redis_driver.py", tmp_path, redis_server.url, unique("stream"), fault)
    assert (run.consumer().mode, run.consumer().guarantee) == (mode, guarantee)
    run.delivered_again_is_right()
    run.lag_is_right()
    (order,) = run.found.orders
    assert order.violations == overtaken(number for number, _ in run.receipts())
    if fault == "killed":
        assert run.again == 1
        assert run.found.duplicates[0].effects == "repeated"
