"""Faults made for real: what is found of duplicates, gaps, order, lag and rebalances equals what the programs know happened."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from integration.delivery_runs import in_order_by_partition, overtaken, play, through_a_fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers import Kafka, Rabbitmq, Redis


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
        env = {"CLOCKS": json.dumps({"library": str(libfaketime), "worker": f"{shift_s:+}s"})}
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


# ---- Kafka ----------------------------------------------------------------------------------------------------------


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
