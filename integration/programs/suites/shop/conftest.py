"""What the suite's tests have: a billing service that runs, and ways to order, to see payments, and to be notified.

As people write such suites: nothing here knows msgtrace. SHOP_RABBITMQ, SHOP_REDIS and SHOP_KAFKA say where the brokers are.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest
import redis
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def shop() -> Iterator[str]:
    """The name of everything that this session has on the brokers; its billing service runs."""
    name = f"shop-{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=os.environ["SHOP_KAFKA"])
    admin.create_topics([NewTopic(f"{name}.payments", num_partitions=1, replication_factor=1)])
    admin.close()
    service = subprocess.Popen([sys.executable, str(HERE / "billing.py"), name], stdout=subprocess.PIPE, text=True)
    assert service.stdout is not None
    assert service.stdout.readline() == "ready\n"
    yield name
    service.terminate()
    service.wait(10)


async def send(name: str, *orders: dict[str, Any]) -> None:
    connection = await aio_pika.connect(os.environ["SHOP_RABBITMQ"])
    async with connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(f"{name}.orders")
        for order in orders:
            body = json.dumps({"type": "order.created", **order}).encode()
            await exchange.publish(aio_pika.Message(body, content_type="application/json"), "order.created")


@pytest.fixture
def order(shop: str) -> Callable[..., None]:
    """Orders: `order(id=1, total=20)`, and blocks until the broker has it."""
    return lambda **fields: asyncio.run(send(shop, fields))


@pytest.fixture(scope="session")
def payments(shop: str) -> Iterator[Callable[[int], dict[str, Any]]]:
    """Waits for an order's payment."""
    consumer = KafkaConsumer(bootstrap_servers=os.environ["SHOP_KAFKA"], auto_offset_reset="earliest")
    consumer.assign([TopicPartition(f"{shop}.payments", 0)])
    consumer.seek_to_beginning()
    seen: dict[int, dict[str, Any]] = {}

    def wait(order: int) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while order not in seen and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200).values():
                for record in records:
                    payment = json.loads(record.value)
                    seen[payment["order"]] = payment
        return seen[order]

    yield wait
    consumer.close()


@pytest.fixture
def notified(shop: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """Waits for the next notification."""
    client = redis.Redis.from_url(os.environ["SHOP_REDIS"])
    subscription = client.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe(f"{shop}.notifications")
    subscription.get_message(timeout=5)

    def wait() -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            message = subscription.get_message(timeout=1)
            if message is not None:
                notification: dict[str, Any] = json.loads(message["data"])
                return notification
        raise TimeoutError

    yield wait
    subscription.close()
    client.close()
