"""What the redis hook adds to a call, without a server: our half alone, both phases, into real segments.

    python bench/redis_commands.py [seconds-per-case]

redis-py's own `execute_command` and `execute` are replaced by empty ones before the hook is put around them, so that
what is left of a call is what we add. Segments are recycled as a collector would, between the timed runs. The thread's
own processor time, best of many short runs: whatever else the machine does only ever adds.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
import redis.asyncio
import redis.asyncio.client
import redis.client

from msgtrace import interning
from msgtrace.code_site import CodeSites
from msgtrace.engine import Engine, load
from msgtrace.hooks import redis_pubsub
from msgtrace.recorder import Recorder
from msgtrace.segment import FREE, SEALED, STATE_WORD
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 500
TEXT = '{"order_id": 4711, "items": [1, 2, 3], "note": "' + "x" * 150 + '"}'
BYTES = TEXT.encode()
ALONE = "PUBLISH, reader and recorder"
LIMITS_NS = {"GET": 200, "asyncio GET": 200, "GET in a pipeline": 200, ALONE: 3_000}
"""What is asked for: a command that is no message, and both phases of one that is, without the wrapper around them."""


def silence() -> None:
    """Replace what talks to the server."""

    async def reply_later(self: Any, *args: Any, **options: Any) -> Any:
        return 1

    def replies(self: Any, raise_on_error: bool = True) -> Any:
        return [1] * len(self.command_stack)

    def entries(self: Any, *args: Any, **options: Any) -> Any:
        return ENTRIES if args[0] == "XREADGROUP" else BYTES if args[0] == "LPOP" else 1

    redis.client.Redis.execute_command = entries  # type: ignore[method-assign]  # on purpose
    redis.asyncio.client.Redis.execute_command = reply_later  # type: ignore[method-assign]  # on purpose
    redis.client.Pipeline.execute = replies  # type: ignore[method-assign]  # on purpose


ENTRIES = [[b"orders", [(b"1-1", {b"type": b"OrderPlaced", b"id": b"42", b"data": BYTES})]]]


def plain(*command: Any) -> Callable[[int], None]:
    """One command, over and over."""
    execute = redis.Redis().execute_command

    def loop(turns: int) -> None:
        for _ in range(turns):
            execute(*command)

    return loop


def driven(*command: Any) -> Callable[[int], None]:
    """The same with asyncio's client, without an event loop."""
    execute = redis.asyncio.Redis().execute_command

    def loop(turns: int) -> None:
        for _ in range(turns):
            try:
                execute(*command).send(None)
            except StopIteration:
                continue

    return loop


def batch(name: str, *arguments: Any) -> Callable[[int], None]:
    """A pipeline of a hundred times the same command."""
    pipeline = redis.Redis().pipeline()
    for _ in range(100):
        getattr(pipeline, name)(*arguments)

    def loop(turns: int) -> None:
        for _ in range(turns):
            pipeline.execute()

    return loop


def handling() -> Callable[[int], None]:
    """A message that a handler is registered for."""
    pubsub = redis.Redis().pubsub()
    pubsub.channels = {b"handled": lambda _: None}
    message = [b"message", b"handled", BYTES]

    def loop(turns: int) -> None:
        for _ in range(turns):
            pubsub.handle_message(message)

    return loop


def cases() -> dict[str, tuple[Callable[[int], None], int]]:
    """Name -> a loop of calls, and how many operations one turn of it is."""
    return {
        "GET": (plain("GET", "key"), 1),
        "asyncio GET": (driven("GET", "key"), 1),
        "GET in a pipeline": (batch("get", "key"), 100),
        "PUBLISH text": (plain("PUBLISH", "orders", TEXT), 1),
        "PUBLISH bytes": (plain("PUBLISH", "orders", BYTES), 1),
        "asyncio PUBLISH": (driven("PUBLISH", "orders", BYTES), 1),
        "PUBLISH in a pipeline": (batch("publish", "orders", BYTES), 100),
        "XADD of 3 fields": (plain("XADD", "orders", "*", "type", "OrderPlaced", "id", 42, "data", BYTES), 1),
        "XREADGROUP of 1": (plain("XREADGROUP", b"GROUP", "g", "me", b"STREAMS", "orders", ">"), 1),
        "XACK": (plain("XACK", "orders", "g", b"1-1"), 1),
        "LPUSH": (plain("LPUSH", "jobs", BYTES), 1),
        "LPOP": (plain("LPOP", "jobs"), 1),
        "message to a handler": (handling(), 1),
    }


def alone(engine: Engine) -> Callable[[int], None]:
    """Reading and recording a PUBLISH, called directly."""
    client = redis.Redis()
    (placed,) = [each for each in engine.placed if each.point.target == "redis.client:Redis.execute_command"]
    probe, read, done = placed.probes[0], redis_pubsub.published, redis_pubsub.published_at

    def loop(turns: int) -> None:
        for _ in range(turns):
            message = read(client, "PUBLISH", "orders", BYTES)
            assert message is not None
            sequence = probe.begin(message)
            probe.complete(sequence, facts=done(sequence, 1, client, "PUBLISH", "orders", BYTES))

    return loop


def best_ns(loop: Callable[[int], None], operations: int, recorder: Recorder, seconds: float) -> float:
    """Nanoseconds an operation, in the best of the runs that fit into the time."""
    turns = CALLS // operations
    best, until = float("inf"), time.monotonic() + seconds
    while time.monotonic() < until:
        for segment in recorder._spool._segments:
            if segment.words[STATE_WORD] == SEALED:
                segment.words[STATE_WORD] = FREE
        began = time.thread_time_ns()
        loop(turns)
        best = min(best, (time.thread_time_ns() - began) / (turns * operations))
    return best


def main() -> int:
    """Measure, and compare with the limits; 1 when one is exceeded."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    folder = Path(tempfile.mkdtemp(prefix="msgtrace-bench-", dir="/dev/shm"))
    silence()
    handled = redis.client.PubSub.handle_message
    try:
        recorder = Recorder(folder, dict)
        interning.bind(recorder, Settings())
        base = {name: best_ns(loop, n, recorder, seconds) for name, (loop, n) in cases().items()}
        engine = Engine(recorder, CodeSites(recorder))
        engine.add(load("redis"))
        traced = {name: best_ns(loop, n, recorder, seconds) for name, (loop, n) in cases().items()}
        base[ALONE], traced[ALONE] = 0.0, best_ns(alone(engine), 1, recorder, seconds)
        dropped = recorder._dropped
        engine.restore()
    finally:
        shutil.rmtree(folder)
    assert redis.client.PubSub.handle_message is handled
    print(f"Python {sys.version.split()[0]}, redis {redis.__version__}, body of {len(BYTES)} bytes, ns an operation")
    print(f"{'':30}{'empty call':>12}{'traced':>10}{'adds':>10}")
    over = False
    for name, without in base.items():
        adds = traced[name] - without
        limit = LIMITS_NS.get(name)
        over = over or (limit is not None and adds > limit)
        print(f"{name:30}{without:12.0f}{traced[name]:10.0f}{adds:10.0f}" + (f"  (limit {limit})" if limit else ""))
    print(f"records dropped for want of room: {dropped}")
    return int(over or dropped > 0)


if __name__ == "__main__":
    sys.exit(main())
