"""A program on a real broker is recorded, the broker inspected into the same trace, and the loose ends found are those made."""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiormq
import pytest

from integration.traced import PROGRAMS, clean_environment, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.brokers import Rabbitmq


def msgtrace(*words: str) -> str:
    line = [sys.executable, "-m", "msgtrace", *words]
    done = subprocess.run(line, env=clean_environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def others(url: str, prefix: str) -> None:
    """What no recorded program has to do with: a queue with a message that nobody takes, and a binding that nothing goes through."""
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    await channel.queue_declare(f"{prefix}.foreign")
    await channel.queue_bind(f"{prefix}.foreign", f"{prefix}.x", "foreign.#")
    await channel.basic_publish(b"{}", routing_key=f"{prefix}.foreign")
    await connection.close()


async def removed(url: str, prefix: str, queues: list[str]) -> None:
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    for each in queues:
        await channel.queue_delete(each)
    await channel.exchange_delete(f"{prefix}.x")
    await connection.close()


@pytest.mark.rabbitmq
def test_loose_ends_are_those_that_were_made(rabbitmq: Rabbitmq, tmp_path: Path, unique: Callable[[str], str]) -> None:
    prefix, dice = unique("ends"), random.Random()
    numbers = {kind: dice.randint(1, 4) for kind in ("heard", "unheard", "unused", "nowhere")}
    program = str(PROGRAMS / "topology" / "loose_ends.py")
    ended = run([sys.executable, program, rabbitmq.url, prefix, json.dumps(numbers)], tmp_path)
    assert ended.code == 0, ended.stderr
    heard, unheard = ([f"{prefix}.{kind}.{number}" for number in range(numbers[kind])] for kind in ("heard", "unheard"))
    queues = [*heard, *unheard, f"{prefix}.foreign"]
    asyncio.run(others(rabbitmq.url, prefix))
    try:
        msgtrace("inspect", rabbitmq.management_url, "--db", str(ended.trace))
        rows: list[dict[str, Any]] = json.loads(msgtrace("queues", "--db", str(ended.trace), "--format", "json"))
    finally:
        asyncio.run(removed(rabbitmq.url, prefix, queues))
    mine = [each for each in rows if prefix in json.dumps(each)]

    def found(what: str) -> list[dict[str, Any]]:
        return [each for each in mine if each["what"] == what]

    unused = {each["finding"] for each in found("unused binding")}
    assert len(unused) == len(found("unused binding")) == numbers["unused"] + 1, unused
    keys = [f"unused.{number}.*" for number in range(numbers["unused"])] + ["foreign.#"]
    assert all(any(key in sentence for sentence in unused) for key in keys), unused
    assert {each["name"] for each in found("queue without consumer")} == {*unheard, f"{prefix}.foreign"}
    (lost,) = [each["finding"] for each in found("unmatched routing key")]
    assert lost.startswith(f"{numbers['nowhere']} message"), lost
    assert set(re.findall(r"[a-z]+\.[0-9]+\b(?:\.sent)?", lost)) == {
        f"nowhere.{each}" for each in range(numbers["nowhere"])
    }
    used = {each["routing_key"]: each["sent"] for each in found("binding") if each["from"]}
    assert used == {
        **{f"{kind}.{number}.#": 1 for kind in ("heard", "unheard") for number in range(numbers[kind])},
        **dict.fromkeys(keys, 0),
    }
