"""The shop with real brokers: what its ledger says, and what the brokers themselves say afterwards."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition
from redis import Redis as RedisClient

from integration.brokers import Kafka, Rabbitmq, Redis
from integration.shop_ledger import CANCELLED, CONFIRMED, ORDERS, USERS, commits, expected
from integration.shop_program import run_shop

QUEUES = ("payments.work", "payments.wait", "payments.dead-letters", "shop.payment-results")
EXCHANGES = ("payments", "payments.retry", "payments.dead", "payments.results")
GROUPS = ("billing", "shipping")


@pytest.fixture
def prefix(unique: Callable[[str], str]) -> str:
    return unique("shop") + "."


@pytest.fixture
def own_rabbitmq(rabbitmq: Rabbitmq, prefix: str) -> Iterator[str]:
    """The address of RabbitMQ; what the shop declares there is deleted after the test."""
    yield rabbitmq.url

    async def delete(channel: AbstractChannel) -> None:
        for queue in QUEUES:
            await channel.queue_delete(prefix + queue)
        for exchange in EXCHANGES:
            await channel.exchange_delete(prefix + exchange)

    asyncio.run(_on_channel(rabbitmq.url, delete))


@pytest.fixture
def own_kafka(kafka: Kafka, prefix: str) -> Iterator[str]:
    """The bootstrap address of Kafka; the shop's topic and groups are deleted after the test."""
    yield kafka.bootstrap
    # Any: pyright brings its own stubs, of an older kafka-python.
    client: Any = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    with closing(client) as admin:
        admin.delete_groups([prefix + group for group in GROUPS])
        admin.delete_topics([f"{prefix}orders"])


@pytest.fixture
def own_redis(redis_server: Redis, prefix: str) -> Iterator[str]:
    """The address of Redis; the shop's stream is deleted after the test."""
    yield redis_server.url
    with RedisClient.from_url(redis_server.url) as client:
        client.delete(f"{prefix}activity")


@pytest.mark.rabbitmq
@pytest.mark.kafka
@pytest.mark.redis
def test_shop_with_all_brokers(own_rabbitmq: str, own_kafka: str, own_redis: str, prefix: str, tmp_path: Path) -> None:
    brokers = {
        "SHOP_RABBITMQ": own_rabbitmq,
        "SHOP_KAFKA": own_kafka,
        "SHOP_REDIS": own_redis,
        "SHOP_PREFIX": prefix,
    }
    for turn in (1, 2):  # the second finds queues, topic and groups where the first has left them
        run = run_shop(tmp_path / f"{turn}.json", **brokers)
        assert (run.exit_code, run.stderr) == (0, "")
        counted = dict(run.ledger)
        assert 1 <= counted.pop(commits(prefix)) <= 2 * ORDERS
        assert counted == expected(prefix, rabbitmq=True, kafka=True, redis=True)
    assert asyncio.run(_messages_left(own_rabbitmq, prefix)) == dict.fromkeys(QUEUES, 0)
    assert _kinds_in_topic(own_kafka, prefix) == {
        "order.placed": 2 * ORDERS,
        "order.confirmed": 2 * CONFIRMED,
        "order.cancelled": 2 * CANCELLED,
    }
    assert _committed(own_kafka, prefix) == dict.fromkeys(GROUPS, 2 * 2 * ORDERS)
    entries = {"user.registered": USERS, "order.confirmed": CONFIRMED}
    entries |= {"invoice.issued": CONFIRMED, "parcel.packed": CONFIRMED}
    assert _kinds_in_stream(own_redis, prefix) == {kind: 2 * count for kind, count in entries.items()}
    assert _unacknowledged(own_redis, prefix) == 0


@pytest.mark.rabbitmq
def test_shop_with_rabbitmq_alone(own_rabbitmq: str, prefix: str, tmp_path: Path) -> None:
    run = run_shop(tmp_path / "ledger.json", SHOP_RABBITMQ=own_rabbitmq, SHOP_PREFIX=prefix)
    assert (run.exit_code, run.stderr) == (0, "")
    assert run.ledger == expected(prefix, rabbitmq=True)


@pytest.mark.kafka
def test_shop_with_kafka_alone(own_kafka: str, prefix: str, tmp_path: Path) -> None:
    run = run_shop(tmp_path / "ledger.json", SHOP_KAFKA=own_kafka, SHOP_PREFIX=prefix)
    assert (run.exit_code, run.stderr) == (0, "")
    counted = dict(run.ledger)
    assert counted.pop(commits(prefix)) >= 1
    assert counted == expected(prefix, kafka=True)


@pytest.mark.redis
def test_shop_with_redis_alone(own_redis: str, prefix: str, tmp_path: Path) -> None:
    run = run_shop(tmp_path / "ledger.json", SHOP_REDIS=own_redis, SHOP_PREFIX=prefix)
    assert (run.exit_code, run.stderr) == (0, "")
    assert run.ledger == expected(prefix, redis=True)


async def _on_channel(url: str, work: Callable[[AbstractChannel], Awaitable[None]]) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        await work(channel)


async def _messages_left(url: str, prefix: str) -> dict[str, int]:
    """How many messages wait in each of the shop's queues, as RabbitMQ tells."""
    left = {}

    async def ask(channel: AbstractChannel) -> None:
        for name in QUEUES:
            queue = await channel.declare_queue(prefix + name, passive=True)
            left[name] = queue.declaration_result.message_count or 0

    await _on_channel(url, ask)
    return left


def _partitions(consumer: Any, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]


def _kinds_in_topic(bootstrap: str, prefix: str) -> Counter[str]:
    """How many records of each kind the topic holds."""
    consumer: Any = KafkaConsumer(bootstrap_servers=bootstrap, consumer_timeout_ms=5_000)
    with closing(consumer):
        partitions = _partitions(consumer, f"{prefix}orders")
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        kinds: Counter[str] = Counter()
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            record = next(consumer)  # StopIteration, and so a failed test, when nothing comes for 5 s
            kinds[dict(record.headers)["event-type"].decode()] += 1
        return kinds


def _committed(bootstrap: str, prefix: str) -> dict[str, int]:
    """The sum of every group's committed offsets: how many records it is done with."""
    done = {}
    for group in GROUPS:
        consumer: Any = KafkaConsumer(bootstrap_servers=bootstrap, group_id=prefix + group)
        with closing(consumer):
            done[group] = sum(consumer.committed(each) or 0 for each in _partitions(consumer, f"{prefix}orders"))
    return done


def _kinds_in_stream(url: str, prefix: str) -> Counter[str]:
    """How many entries of each kind the stream holds."""
    with RedisClient.from_url(url, decode_responses=True) as client:
        entries: Any = client.xrange(f"{prefix}activity")
        return Counter(fields["type"] for _, fields in entries)


def _unacknowledged(url: str, prefix: str) -> int:
    """How many entries the consumer group was given and has not acknowledged."""
    with RedisClient.from_url(url, decode_responses=True) as client:
        groups: Any = client.xinfo_groups(f"{prefix}activity")
        return sum(group["pending"] for group in groups)
