"""What brokers' client libraries are told of trying again, and what they then do, on real brokers with other numbers each time."""

from __future__ import annotations

import json
import random
import sys
from typing import TYPE_CHECKING, Any

import pytest

from integration.traced import PROGRAMS, run
from msgtrace_analysis.passes import prepare
from msgtrace_analysis.passes.attempts import tried
from msgtrace_analysis.passes.declared_policies import declared_policies
from msgtrace_analysis.passes.retrying import retrying
from msgtrace_analysis.passes.topology import topology
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers import Kafka, Rabbitmq, Redis
    from msgtrace_analysis.findings import DeclaredPolicy


@pytest.fixture
def brokers(rabbitmq: Rabbitmq, redis_server: Redis, kafka: Kafka, unique: Callable[[str], str]) -> dict[str, Any]:
    """Where a program finds them, and a name that nobody else has there."""
    return {
        "rabbitmq": rabbitmq.url,
        "redis": redis_server.url,
        "kafka": kafka.bootstrap,
        "name": unique("clients"),
    }


def policies(trace: Path) -> dict[str, list[DeclaredPolicy]]:
    """Each library's."""
    found: dict[str, list[DeclaredPolicy]] = {}
    with open_trace(trace) as connection, Study(connection) as study:
        for each in declared_policies(study):
            found.setdefault(each.source, []).append(each)
    return found


@pytest.mark.rabbitmq
@pytest.mark.redis
@pytest.mark.kafka
def test_what_client_libraries_are_told(
    brokers: dict[str, Any], rabbitmq: Rabbitmq, unique: Callable[[str], str], tmp_path: Path
) -> None:
    dice = random.Random()
    given: dict[str, Any] = {
        **brokers,
        "interval_s": round(dice.uniform(0.5, 9), 2),
        "backoff": "ExponentialBackoff",
        "cap_s": round(dice.uniform(3, 9), 2),
        "base_s": round(dice.uniform(0.1, 1), 2),
        "retries": dice.randint(1, 9),
        "producer": {
            "retries": dice.randint(1, 9), "retry_backoff_ms": dice.randint(50, 500), "acks": "all",
            "delivery_timeout_ms": dice.randint(60_000, 90_000), "request_timeout_ms": 31_000, "linger_ms": 3,
            "reconnect_backoff_ms": dice.randint(20, 90), "reconnect_backoff_max_ms": dice.randint(2_000, 9_000),
            "max_in_flight_requests_per_connection": dice.randint(1, 5), "enable_idempotence": True,
        },
        "consumer": {
            "group_id": unique("told"), "auto_offset_reset": "earliest", "enable_auto_commit": True,
            "auto_commit_interval_ms": dice.randint(1_000, 9_000), "session_timeout_ms": dice.randint(11_000, 29_000),
            "max_poll_interval_ms": dice.randint(60_000, 90_000), "retry_backoff_ms": dice.randint(50, 500),
        },
    }  # fmt: skip
    ended = run([sys.executable, str(PROGRAMS / "policies" / "clients.py"), json.dumps(given)], tmp_path)
    assert ended.code == 0, ended.stderr
    found = policies(ended.trace)

    (robust,) = found["aio-pika"]
    assert robust.channel == f"{rabbitmq.host}:{rabbitmq.port}"
    assert (robust.policy.kind, robust.policy.initial_delay_s) == ("fixed", given["interval_s"])
    assert robust.settings == {"reconnect_interval": given["interval_s"], "fail_fast": True}

    by_attempts = {each.policy.max_attempts: each for each in found["redis-py"]}
    told = by_attempts[given["retries"] + 1]
    assert (told.policy.kind, told.policy.multiplier, told.policy.jitter) == ("exponential", 2.0, 0.0)
    assert told.policy.initial_delay_s == pytest.approx(min(given["cap_s"], 2 * given["base_s"]))
    assert told.policy.max_delay_s == given["cap_s"]
    assert told.settings["socket_timeout"] == 7
    assert "ExponentialBackoff(" in told.settings["retry"]
    kinds = {(each.policy.kind, each.policy.max_attempts) for each in found["redis-py"]}
    assert kinds >= {("immediate", 1), ("fixed", 3)}
    (later,) = [each for each in found["redis-py"] if each.policy.kind == "fixed"]
    assert (later.policy.initial_delay_s, later.settings["retry_on_error"]) == (0.25, "KeyError")

    told = given["producer"]
    (producer,) = found["kafka-python producer"]
    assert (producer.policy.kind, producer.policy.max_attempts) == ("fixed", told["retries"] + 1)
    assert producer.policy.initial_delay_s == told["retry_backoff_ms"] / 1000
    names = told.keys() - {"acks", "reconnect_backoff_ms", "reconnect_backoff_max_ms"}
    assert {name: producer.settings[name] for name in names} == {name: told[name] for name in names}
    (consumer,) = found["kafka-python consumer"]
    assert given["consumer"].items() <= consumer.settings.items()
    assert (consumer.policy.kind, consumer.policy.max_attempts) == ("fixed", None)
    again = {(each.policy.initial_delay_s, each.policy.max_delay_s) for each in found["kafka-python"]}
    assert (told["reconnect_backoff_ms"] / 1000, told["reconnect_backoff_max_ms"] / 1000) in {
        (round(first or 0, 4), most) for first, most in again
    }
    assert {each.policy.multiplier for each in found["kafka-python"]} == {2.0}


@pytest.mark.rabbitmq
@pytest.mark.redis
@pytest.mark.kafka
def test_what_client_libraries_do_when_a_connection_is_lost(brokers: dict[str, Any], tmp_path: Path) -> None:
    """What they plan is exact; what aio-pika waits is measured, and never shorter than it was told."""
    dice = random.Random()
    given: dict[str, Any] = {
        **brokers,
        "outages": 3,
        "interval_s": round(dice.uniform(0.12, 0.2), 3),
        "base_s": round(dice.uniform(0.03, 0.05), 3),
        "cap_s": 5,
        "reconnect_ms": dice.randint(40, 60),
    }
    ended = run([sys.executable, str(PROGRAMS / "policies" / "reconnecting.py"), json.dumps(given)], tmp_path)
    assert ended.code == 0, ended.stderr
    with open_trace(ended.trace) as connection, Study(connection) as study:
        prepare(study)
        found = retrying(study, topology(study), tried(study))
    observed = {each.system: each for each in found.observed if each.mechanism == "reconnect"}
    assert len(observed) == len([each for each in found.observed if each.mechanism == "reconnect"])

    robust = observed["rabbitmq"]
    assert (robust.groups, robust.evidence.certainty) == (3, "likely")
    # A loop's timers are a little early.
    assert min(each.shortest_s for each in robust.waits) >= 0.97 * given["interval_s"]
    print(robust.policy, robust.waits)  # how even its delays were, the machine decides
    told = observed["redis"]
    assert told.policy.kind == "exponential"
    assert told.policy.multiplier == pytest.approx(2.0)
    assert told.policy.initial_delay_s == pytest.approx(2 * given["base_s"], abs=1e-4)
    assert told.errors[0][0] == "redis.exceptions.ConnectionError"
    first, *_, last = observed["kafka"].waits
    assert first.median_s == pytest.approx(given["reconnect_ms"] / 1000, rel=0.21)  # it is drawn from so much
    assert last.median_s > first.median_s
    servers = {each.channel for each in observed.values()}
    assert servers <= {each.channel for each in found.declared}
    assert not [each for each in found.differences if each.declared.system == "redis"]
