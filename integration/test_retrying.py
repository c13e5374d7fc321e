"""Programs with known policies on real brokers, and what the analysis says of them beside what they did."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from integration.retry_policies import WAYS, draw, misses, played

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers import Kafka, Rabbitmq, Redis

SEEDS = range(6)
PER_WAY = 3
"""Of 12 ways and 6 seeds: 216 policies."""
RIGHT = 0.95
LONGER = 3.0


def told(
    seed: int,
    program: str,
    address: str,
    folder: Path,
    unique: Callable[[str], str],
    per_way: int,
    longer: float = 1.0,
) -> list[list[str]]:
    """For each policy where the analysis misses the truth."""
    dice = random.Random(seed)
    drawn = [
        draw(way, f"{unique(way.mechanism.replace(' ', '-'))}.{number}", dice, longer)
        for way in WAYS
        for number in range(per_way)
        if way.program == program
    ]
    observed = played(drawn, program, address, folder)
    return [misses(each, observed) for each in drawn]


@pytest.mark.rabbitmq
@pytest.mark.redis
@pytest.mark.kafka
def test_policies_are_found(
    rabbitmq: Rabbitmq, redis_server: Redis, kafka: Kafka, tmp_path: Path, unique: Callable[[str], str]
) -> None:
    """Two policies of each way, of other numbers each time; a busy machine may put off one of them."""
    seed = random.Random().getrandbits(32)
    addresses = {"rabbitmq": rabbitmq.url, "redis_queues": redis_server.url, "kafka_topics": kafka.bootstrap}
    found = [
        each
        for program, address in addresses.items()
        for each in told(seed, program, address, tmp_path / program, unique, 2)
    ]
    missed = [each for each in found if each]
    assert len(found) == 2 * len(WAYS)
    assert len(missed) <= 2, (seed, missed)


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.rabbitmq
@pytest.mark.redis
@pytest.mark.kafka
def test_two_hundred_policies(
    rabbitmq: Rabbitmq, redis_server: Redis, kafka: Kafka, tmp_path: Path, unique: Callable[[str], str]
) -> None:
    addresses = {"rabbitmq": rabbitmq.url, "redis_queues": redis_server.url, "kafka_topics": kafka.bootstrap}
    found = [
        each
        for seed in SEEDS
        for program, address in addresses.items()
        for each in told(seed, program, address, tmp_path / f"{program}-{seed}", unique, PER_WAY, LONGER)
    ]
    missed = [each for each in found if each]
    print(f"{len(found) - len(missed)} of {len(found)} policies as they were", *missed, sep="\n")
    assert len(found) >= 200
    assert len(missed) <= (1 - RIGHT) * len(found), missed
