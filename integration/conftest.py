"""Fixtures for tests that need real brokers: `rabbitmq`, `redis_server`, `kafka`; `unique` names on them; and tools.

Brokers are found or started once per session (integration/brokers/find.py): all that the collected tests ask
for, at the same time. Without one its tests are skipped by name, and fail when CI=true.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.brokers import Address, Kafka, Rabbitmq, Redis, tools
from integration.brokers.gather import gathered

FIXTURES = {"rabbitmq": "rabbitmq", "redis_server": "redis", "kafka": "kafka"}


@pytest.fixture(scope="session")
def broker_addresses(request: pytest.FixtureRequest) -> Iterator[dict[str, Address | str]]:
    """What every broker that a collected test asks for came to: its address, or why there is none."""
    asked = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    marked = {marker.name for item in request.session.items for marker in item.iter_markers()}
    names = [name for fixture, name in FIXTURES.items() if fixture in asked or name in marked]
    with gathered(names) as outcome:
        yield outcome


def _broker(name: str, outcome: dict[str, Address | str]) -> Address:
    found = outcome.get(name, "no collected test named its fixture")
    if not isinstance(found, str):
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"no {name} to test with: {found}", pytrace=False)
    pytest.skip(f"no {name} to test with: {found}")


@pytest.fixture(scope="session")
def rabbitmq(broker_addresses: dict[str, Address | str]) -> Rabbitmq:
    """A real RabbitMQ with its management plugin, shared by the session."""
    address = _broker("rabbitmq", broker_addresses)
    assert isinstance(address, Rabbitmq)
    return address


@pytest.fixture(scope="session")
def redis_server(broker_addresses: dict[str, Address | str]) -> Redis:
    """A real Redis, shared by the session."""
    address = _broker("redis", broker_addresses)
    assert isinstance(address, Redis)
    return address


@pytest.fixture(scope="session")
def kafka(broker_addresses: dict[str, Address | str]) -> Kafka:
    """A real Apache Kafka of one node, shared by the session."""
    address = _broker("kafka", broker_addresses)
    assert isinstance(address, Kafka)
    return address


def _tool(name: str) -> Path:
    found = tools.find(name)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no {name}: {tools.missing(name)}", pytrace=False)
        pytest.skip(f"no {name}: {tools.missing(name)}; `python -m integration.brokers install` installs it")
    return found


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Prometheus' own checker of rules."""
    return _tool("promtool")


@pytest.fixture(scope="session")
def libfaketime() -> Path:
    """A library to preload that gives a process a clock of its own."""
    return _tool("libfaketime")


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Makes names that nobody else uses on a shared broker: `unique("orders")`, `orders-5f0c1a9e3b7d`."""
    return lambda prefix: f"{prefix}-{uuid.uuid4().hex[:12]}"
