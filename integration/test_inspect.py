"""`msgtrace inspect` on real brokers: what it stores is what was set up there, and nothing there has changed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiormq
import pytest
import redis
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from integration.brokers.native import free_ports
from integration.traced import Started, clean_environment
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers import Kafka, Rabbitmq, Redis

INSPECTED = """
    select channel_kind, channel, virtual_host, routing_key, consumer_group, consumer_tag, cast(settings as varchar) as settings
    from topology where kind = 'inspected' and {} order by operation_id
"""


def inspect(trace: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "msgtrace", "inspect", "--db", str(trace), *words]
    return subprocess.run(
        command, env=clean_environment() | environment, capture_output=True, text=True, timeout=60, check=False
    )


def rows(trace: Path, where: str = "true") -> list[dict[str, Any]]:
    with open_trace(trace) as opened:
        found = opened.query(INSPECTED.format(where)).to_pylist()
    return [each | {"settings": json.loads(each["settings"])} for each in found]


def one(trace: Path, where: str) -> dict[str, Any]:
    (found,) = rows(trace, where)
    settings: dict[str, Any] = found["settings"]
    return settings


@pytest.mark.rabbitmq
def test_rabbitmq(rabbitmq: Rabbitmq, tmp_path: Path, unique: Callable[[str], str]) -> None:
    trace, exchange, queue = tmp_path / "trace.duckdb", unique("e"), unique("q")

    async def work() -> None:
        connection = await aiormq.connect(rabbitmq.url)
        channel = await connection.channel()
        await channel.exchange_declare(exchange, exchange_type="topic", arguments={"alternate-exchange": "amq.fanout"})
        await channel.queue_declare(queue, durable=True, arguments={"x-message-ttl": 60_000})
        await channel.queue_bind(queue, exchange, "order.*", arguments={"a": 1})
        await channel.basic_qos(prefetch_count=7)
        await channel.basic_publish(b"{}", exchange=exchange, routing_key="order.placed")
        other = f"{queue}-consumed"
        await channel.queue_declare(other)
        await channel.basic_consume(other, lambda message: asyncio.sleep(0), consumer_tag="tag")
        # RabbitMQ's statistics, to which consumers belong, are up to five seconds old.
        ended = None
        for _ in range(10):
            trace.unlink(missing_ok=True)
            ended = await asyncio.to_thread(inspect, trace, rabbitmq.management_url)
            assert (ended.returncode, ended.stderr) == (0, "")
            if "consumer" in ended.stdout:
                break
            await asyncio.sleep(1)
        assert ended is not None
        assert "binding" in ended.stdout
        found = one(trace, f"channel = '{exchange}'")
        assert found["exchange_type"] == "topic"
        assert found["arguments"] == {"alternate-exchange": "amq.fanout"}
        found = one(trace, f"channel = '{queue}' and settings ->> 'action' = 'inspect'")
        assert (found["durable"], found["exclusive"], found["queue_type"]) == (True, False, "classic")
        assert found["arguments"] == {"x-message-ttl": 60_000}
        (binding,) = rows(trace, f"channel = '{queue}' and settings ->> 'action' = 'bind'")
        assert (binding["channel_kind"], binding["virtual_host"], binding["routing_key"]) == ("queue", "/", "order.*")
        assert binding["settings"] == {"action": "bind", "exchange": exchange, "arguments": {"a": 1}}
        (consumer,) = rows(trace, f"channel = '{other}' and settings ->> 'action' = 'consume'")
        assert consumer["consumer_tag"] == "tag"
        assert consumer["settings"]["prefetch_count"] == 7
        (right,) = rows(trace, "channel_kind = 'permission'")
        assert (right["channel"], right["settings"]["write"]) == ("guest", ".*")
        assert (await channel.queue_declare(queue, passive=True)).message_count == 1
        await channel.queue_delete(queue)
        await channel.exchange_delete(exchange)
        await connection.close()

    asyncio.run(work())


@pytest.mark.rabbitmq
def test_a_limit_is_kept_and_said(rabbitmq: Rabbitmq, tmp_path: Path) -> None:
    trace = tmp_path / "trace.duckdb"
    ended = inspect(trace, rabbitmq.management_url, "--limit", "2")
    assert ended.returncode == 0
    assert "left out, beyond --limit" in ended.stdout
    assert len(rows(trace, "channel_kind = 'exchange'")) == 2
    # Never fewer than the seven that every virtual host begins with.
    assert one(trace, "channel_kind = 'broker'")["left_out"]["exchanges"] >= 5


@pytest.mark.rabbitmq
@pytest.mark.parametrize("by", ["url", "environment"])
def test_a_password_is_never_stored_or_said(by: str, rabbitmq: Rabbitmq, tmp_path: Path) -> None:
    trace, secret = tmp_path / "trace.duckdb", "hunter2-hunter2"
    address = rabbitmq.management_url.rpartition("@")[2]
    url = f"http://guest:{secret}@{address}" if by == "url" else f"http://{address}"
    ended = inspect(trace, url, MSGTRACE_INSPECT_USER="guest", MSGTRACE_INSPECT_PASSWORD=secret)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "user or password is wrong" in ended.stderr
    assert secret not in ended.stderr + ended.stdout
    ended = inspect(trace, f"http://{address}", MSGTRACE_INSPECT_USER="guest", MSGTRACE_INSPECT_PASSWORD="guest")
    assert ended.returncode == 0
    assert b"guest:guest" not in trace.read_bytes()


@pytest.mark.kafka
def test_kafka(kafka: Kafka, tmp_path: Path, unique: Callable[[str], str]) -> None:
    trace, topic, group = tmp_path / "trace.duckdb", unique("t"), unique("g")
    address = f"{kafka.host}:{kafka.port}"
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([NewTopic(topic, 3, 1, topic_configs={"retention.ms": "7200000"})])
    producer = KafkaProducer(bootstrap_servers=address)
    for number in range(10):
        producer.send(topic, b"{}", partition=number % 3).get(10)
    producer.close()
    consumer = KafkaConsumer(
        topic, bootstrap_servers=address, group_id=group, auto_offset_reset="earliest", max_poll_records=4
    )
    received = 0
    while not received:
        received = sum(map(len, consumer.poll(1000).values()))
    consumer.commit()
    ended = inspect(trace, f"kafka://{address}")
    assert (ended.returncode, ended.stderr) == (0, "")
    about = one(trace, f"channel = '{topic}' and consumer_group is null")
    assert (about["partitions"], about["replication_factor"]) == (3, 1)
    assert about["configs"]["retention.ms"] == "7200000"
    assert about["configs"]["cleanup.policy"] == "delete"
    assert about["state"] == {"under_replicated": 0, "without_leader": 0, "offsets": 10, "written": 10}
    assert one(trace, f"channel_kind = 'group' and channel = '{group}'")["state"] == {"members": 1}
    lag = one(trace, f"consumer_group = '{group}' and settings ->> 'action' = 'lag'")
    assert lag["state"]["lag"] == 10 - received
    member = one(trace, f"consumer_group = '{group}' and settings ->> 'action' = 'consume'")
    assert member["partitions"] == [0, 1, 2]
    assert "access rights" in one(trace, "channel_kind = 'broker'")["unreadable"]
    consumer.close()
    admin.delete_topics([topic])
    admin.close()


@pytest.mark.redis
def test_redis(redis_server: Redis, tmp_path: Path, unique: Callable[[str], str]) -> None:
    trace, prefix = tmp_path / "trace.duckdb", unique("r")
    client = redis.Redis.from_url(redis_server.url)
    listener = client.pubsub()  # type: ignore[no-untyped-call]
    listener.subscribe(f"{prefix}-channel")
    assert listener.get_message(timeout=5)
    client.set(f"{prefix}-secret-value", "x")
    client.rpush(f"{prefix}-list", "a", "b")
    ids = [client.xadd(f"{prefix}-stream", {"n": number}) for number in range(3)]
    client.xgroup_create(f"{prefix}-stream", "workers", id="0")
    client.xreadgroup("workers", "one", {f"{prefix}-stream": ">"}, count=2)
    ended = inspect(trace, redis_server.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert one(trace, f"channel = '{prefix}-channel'")["state"] == {"subscribers": 1}
    assert one(trace, f"channel = '{prefix}-list'")["state"] == {"messages": 2}
    assert one(trace, f"channel = '{prefix}-stream' and consumer_group is null")["state"]["messages"] == 3
    group = one(trace, f"channel = '{prefix}-stream' and consumer_group = 'workers' and consumer_tag is null")
    assert (group["state"]["pending"], group["state"].get("lag")) == (2, 1)
    assert group["last_delivered_id"] == bytes(ids[1]).decode()  # type: ignore[arg-type]
    assert one(trace, f"channel = '{prefix}-stream' and consumer_tag = 'one'")["state"]["pending"] == 2
    assert not rows(trace, f"channel = '{prefix}-secret-value'")
    assert one(trace, "channel_kind = 'broker'")["keys"]["string"] >= 1
    client.delete(f"{prefix}-list", f"{prefix}-stream", f"{prefix}-secret-value")
    listener.close()
    client.close()


@pytest.mark.redis
def test_while_a_trace_is_recorded_and_again_afterwards(redis_server: Redis, tmp_path: Path) -> None:
    with Started([sys.executable, "-c", "print('ready', flush=True); input()"], tmp_path) as program:
        trace = tmp_path / "trace.duckdb"
        program.wait_for("ready")
        assert inspect(trace, redis_server.url).returncode == 0
        assert len(rows(trace, "channel_kind = 'broker'")) == 1
    assert inspect(trace, redis_server.url).returncode == 0
    with open_trace(trace) as opened:
        known = opened.query("select operation_id, inspection_id from topology where kind = 'inspected'").to_pylist()
    assert len({each["inspection_id"] for each in known}) == 2
    assert len({each["operation_id"] for each in known}) == len(known)


@pytest.mark.parametrize("scheme", ["http", "amqp", "kafka", "redis"])
def test_nobody_there_is_one_line(scheme: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    ended = inspect(tmp_path / "trace.duckdb", f"{scheme}://user:s3cr3t-word@127.0.0.1:{port}", "--timeout", "3")
    assert ended.returncode == 1
    assert ended.stderr.startswith("msgtrace: ")
    assert ended.stderr.count("\n") == 1
    assert "s3cr3t" not in ended.stderr
    assert not (tmp_path / "trace.duckdb").exists()


def test_what_is_no_address_is_one_line(tmp_path: Path) -> None:
    for url in ("localhost", "ftp://s3cr3t-word@h", "redis://:s3cr3t-word@:x", "amqp://a,b"):
        ended = inspect(tmp_path / "trace.duckdb", url)
        assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
        assert "s3cr3t" not in ended.stderr
