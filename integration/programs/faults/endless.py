"""Sends without end, telling after each send, in shared memory, how many have returned.

endless.py COUNTER_FILE bus|redis|threads [REDIS_URL]
"""

import mmap
import sys
import threading
from pathlib import Path

counter_file, kind, *rest = sys.argv[1:]
with Path(counter_file).open("r+b") as file:
    counters = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")


def over_a_bus(slot: int) -> None:
    import pyee

    emitter = pyee.EventEmitter()

    @emitter.on("ticked")
    def on_ticked(event: dict[str, int]) -> None:
        seen[0] += event["n"]

    seen = [0]
    number = 0
    while True:
        emitter.emit("ticked", {"n": number, "slot": slot})
        number += 1
        counters[slot] = number


def over_redis(url: str) -> None:
    import redis

    client = redis.Redis.from_url(url)
    number = 0
    while True:
        client.publish("ticked", b"%d" % number)
        number += 1
        counters[0] = number


match kind:
    case "bus":
        over_a_bus(0)
    case "threads":
        for slot in range(4):
            threading.Thread(target=over_a_bus, args=(slot,)).start()
    case "redis":
        over_redis(rest[0])
