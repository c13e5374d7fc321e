"""Redis streams: a group of two and a group of one; one member of two leaves some unacknowledged, the other claims them."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import Any

import redis
from bodies import Ledger, bodies, identity

role, url, stream, count_text, path = sys.argv[1:]
name, _, number_text = role.partition("/")
ledger = Ledger(path)
count = int(count_text)
client = redis.Redis.from_url(url)
no_more = threading.Event()


def produce() -> None:
    for body in bodies(int(number_text), count):
        client.xadd(stream, {b"body": body})
        ledger.sent.append(identity(body))


def consume() -> None:
    with contextlib.suppress(redis.ResponseError):  # the other member was first
        client.xgroup_create(stream, name, id="0", mkstream=True)
    print("ready", flush=True)
    idle = 0
    kept = 0
    while idle < 4:
        answer: Any = client.xreadgroup(name, number_text, {stream: ">"}, count=20, block=250)
        entries = [entry for _, found in answer for entry in found] if answer else []
        for entry_id, fields in entries:
            ledger.received.append(identity(fields[b"body"]))
            if name == "billing" and number_text == "0" and kept < 100 and len(ledger.received) % 7 == 0:
                kept += 1  # never acknowledged here
            else:
                client.xack(stream, name, entry_id)
        idle = 0 if entries or not no_more.is_set() else idle + 1
    if name == "billing" and number_text == "1":
        claim()


def claim() -> None:
    start = "0-0"
    while True:
        start, entries, *_ = client.xautoclaim(stream, name, number_text, min_idle_time=0, start_id=start, count=30)
        for entry_id, fields in entries:
            ledger.received.append(identity(fields[b"body"]))
            client.xack(stream, name, entry_id)
        if start in {b"0-0", "0-0"}:
            return


def await_the_end() -> None:
    sys.stdin.read()
    no_more.set()


if name == "producer":
    produce()
else:
    threading.Thread(target=await_the_end, daemon=True).start()
    consume()
ledger.write()
