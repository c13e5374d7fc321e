"""Redis lists as queues: two workers that compete."""

from __future__ import annotations

import sys
import threading

import redis
from bodies import Ledger, bodies, identity

role, url, key, count_text, path = sys.argv[1:]
name, _, number_text = role.partition("/")
ledger = Ledger(path)
count = int(count_text)
client = redis.Redis.from_url(url)
no_more = threading.Event()


def produce() -> None:
    for body in bodies(int(number_text), count):
        client.lpush(key, body)
        ledger.sent.append(identity(body))


def consume() -> None:
    print("ready", flush=True)
    idle = 0
    while idle < 3:
        found = client.brpop([key], timeout=1)
        if found is not None:
            ledger.received.append(identity(found[1]))
        idle = 0 if found is not None or not no_more.is_set() else idle + 1


def await_the_end() -> None:
    sys.stdin.read()
    no_more.set()


if name == "producer":
    produce()
else:
    threading.Thread(target=await_the_end, daemon=True).start()
    consume()
ledger.write()
