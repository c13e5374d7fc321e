"""Consumers of Redis lists and streams that retry by policies, each with keys of its own, all at the same time.

redis_queues.py URL POLICIES
"""

import asyncio
import json
import sys
import time
from typing import Any

import redis.asyncio as redis
from policy import Policy, policies

url, text = sys.argv[1:]


async def list_consumer(client: Any, policy: Policy) -> None:
    """Pops; what failed is pushed again with a higher count: to the same list, or to one for retries."""
    done: set[int] = set()
    working: set[Any] = set()
    retries = f"{policy.name}.retry" if policy.mechanism == "retry queue" else policy.name

    async def begin() -> None:
        for number in range(policy.messages):
            job = json.loads(policy.body(number))
            await client.rpush(policy.name, json.dumps({**job, "attempt": 1}))
            await asyncio.sleep(0.05)

    async def handle(text: str) -> None:
        job = json.loads(text)
        number, attempt = job["number"], job["attempt"]
        if policy.fails(number, attempt) and attempt < policy.max_attempts:
            await asyncio.sleep(policy.delay(attempt))
            await client.rpush(retries, json.dumps({**job, "attempt": attempt + 1}))
            return
        if policy.fails(number, attempt) and policy.then == "dead letter":
            await client.rpush(policy.dead, text)
        done.add(number)

    beginning = asyncio.create_task(begin())
    while len(done) < policy.messages:
        popped = await client.blpop([policy.name, retries], timeout=0.1)
        if popped:
            task = asyncio.create_task(handle(popped[1]))
            working.add(task)
            task.add_done_callback(working.discard)
    await beginning


async def stream_consumer(client: Any, policy: Policy) -> None:
    """Reads with a group; what failed stays pending and is claimed when it has been idle, or is added anew."""
    group, attempts, done = "workers", dict[str, int](), set[str]()
    await client.xgroup_create(policy.name, group, id="0", mkstream=True)
    for number in range(policy.messages):
        await client.xadd(policy.name, {"type": "job", "policy": policy.name, "number": number})

    async def handle(identity: str, fields: dict[str, str]) -> None:
        number = int(fields["number"])
        key = fields["number"]
        attempt = attempts[key] = attempts.get(key, 0) + 1
        if policy.fails(number, attempt) and attempt < policy.max_attempts:
            if policy.mechanism == "republish":
                await asyncio.sleep(policy.delay(attempt))
                await client.xadd(policy.name, fields)
                await client.xack(policy.name, group, identity)
            return
        if policy.fails(number, attempt) and policy.then == "dead letter":
            await client.xadd(policy.dead, fields)
        await client.xack(policy.name, group, identity)
        done.add(key)

    working: set[Any] = set()
    while len(done) < policy.messages:
        read = await client.xreadgroup(group, "one", {policy.name: ">"}, count=1)
        entries = [entry for _, found in read for entry in found]
        if not entries and policy.mechanism == "stream claim":
            _, entries, *_ = await client.xautoclaim(
                policy.name, group, "two", min_idle_time=round(policy.initial_s * 1000), start_id="0-0", count=1
            )
        for identity, fields in entries:
            if policy.mechanism == "stream claim":
                await handle(identity, fields)
            else:
                task = asyncio.create_task(handle(identity, fields))
                working.add(task)
                task.add_done_callback(working.discard)
        if not entries:
            await asyncio.sleep(0.003)


async def main() -> None:
    client = redis.Redis.from_url(url, decode_responses=True, max_connections=2000)
    began = time.monotonic()
    chosen = policies(text)
    await asyncio.gather(*(client.ping() for _ in range(10 * len(chosen))))  # connections take their time
    await asyncio.wait_for(
        asyncio.gather(
            *((list_consumer if ".list" in each.name else stream_consumer)(client, each) for each in chosen)
        ),
        90,
    )
    await client.aclose()
    print(json.dumps({"seconds": time.monotonic() - began}))


asyncio.run(main())
