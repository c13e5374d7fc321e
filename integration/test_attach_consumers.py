"""`msgtrace attach` and what was there before: subscriptions, consumers, iterations that go on, blocking reads."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from integration.attaching import REMOTE_EXEC, attach, needs_debugger
from integration.traced import PROGRAMS, Started
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers import Kafka, Rabbitmq, Redis

RECEIVED = "select channel, count(*) as messages from operations where kind = 'receive' group by channel"


# One row per fact that was found when the process was attached to.
FOUND = """
    select distinct
        split_part(client, ' ', 1) as library, kind, channel_kind, channel, routing_key, handler_site is not null as handled,
        consumer_group
    from operations where settings ->> '$.origin' = 'found at attach'
"""


@pytest.mark.skipif(REMOTE_EXEC, reason="Python 3.14 comes to nobody who only waits")
@pytest.mark.rabbitmq
@pytest.mark.redis
@pytest.mark.kafka
def test_consumers_that_were_there_before(
    rabbitmq: Rabbitmq, redis_server: Redis, kafka: Kafka, unique: Callable[[str], str], tmp_path: Path
) -> None:
    needs_debugger()
    prefix = unique("before")
    program = [sys.executable, str(PROGRAMS / "attach" / "consuming.py"), rabbitmq.url, redis_server.url]
    with Started([*program, kafka.bootstrap, prefix], tmp_path, traced=False) as running:
        running.wait_for("ready")

        def play(number: int) -> None:
            os.kill(running.process.pid, signal.SIGUSR1)
            running.wait_for(f"round {number}")

        play(1)
        with attach(tmp_path, str(running.process.pid)) as attached:
            attached.wait_for("attached to", errors=True)
            play(2)
            play(3)
            ended = attached.end(signal.SIGINT)
        assert ended.code == 0, ended.stderr
        play(4)
        done = running.end(signal.SIGTERM)
    assert done.code == 0, done.stderr
    assert set(json.loads(done.stdout.splitlines()[-1]).values()) == {12}
    with open_trace(tmp_path / "trace.duckdb") as trace:
        counts = trace.query(RECEIVED).to_pylist()
        found = trace.query(FOUND).to_pylist()
        losses = trace.query("select reason, detail from losses").to_pylist()
    assert losses == []
    assert {tuple(row.values()) for row in found} == {
        ("aio_pika", "subscribe", "queue", f"{prefix}.called", None, True, None),
        ("aio_pika", "subscribe", "queue", f"{prefix}.iterated", None, False, None),
        ("blinker", "subscribe", "bus", "noted", None, True, None),
        ("kafka", "subscribe", "topic", f"{prefix}.topic", None, False, prefix),
        ("pyee", "subscribe", "bus", "pyee.base.EventEmitter", "noticed", True, None),
        ("redis", "subscribe", "pubsub", f"{prefix}.async", None, False, None),
        ("redis", "subscribe", "pubsub", f"{prefix}.blocking", None, False, None),
        ("redis", "subscribe", "pubsub", f"{prefix}.pattern.*", None, False, None),
        ("websockets", "connect", "connection", "/kept", None, False, None),
    }
    received = {row["channel"].removeprefix(f"{prefix}."): row["messages"] for row in counts}
    assert received.pop("called") == 6
    # What was being waited for at that moment is missed, also where a generator of redis-py's waited.
    assert received.keys() == {"iterated", "stream", "topic", "async", "blocking"}
    assert set(received.values()) <= {5, 6}
