"""A producer and workers of a stream's group. Arguments: ledgers, url, stream, fault.

`killed`: the first worker is killed between the effect of entry 5 and its acknowledgement; a second one claims what it left.
`noack`: entries are taken for done when they are read. `slow`: an entry takes 30 ms; the worker ends before it has had all.
`list`: the same through a list, from which elements are popped. `cut`: traffic goes on until the test has restarted the
broker or set clocks, and says so by a file `go`; what the broker had saved half-way is there afterwards, and all else is gone.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import redis
from ledger import environment, note, noted

COUNT = 40
folder, url, stream, fault, *role = sys.argv[1:]
GROUP = "workers"


def work_on(client: "redis.Redis") -> None:
    """Work, through the loss of the broker and of the group."""
    while True:
        try:
            work(client)
        except (redis.ConnectionError, redis.ResponseError) as error:
            note("lost", 0, error=type(error).__name__)
            time.sleep(0.05)


def work(client: "redis.Redis") -> None:
    if role[0] == "second":
        for identity, fields in client.xautoclaim(stream, GROUP, "second", 0)[1]:
            handle(client, identity, fields)
    while True:
        read = client.xreadgroup(GROUP, role[0], {stream: ">"}, count=1, block=2_000, noack=fault == "noack")
        for _, entries in read or ():
            for identity, fields in entries:
                handle(client, identity, fields)


def handle(client: "redis.Redis", identity: bytes, fields: dict[bytes, bytes]) -> None:
    number = int(fields[b"number"])
    note("received", number, **({"turn": int(fields[b"turn"])} if b"turn" in fields else {}))
    time.sleep(0.03 if fault == "slow" else 0.003)
    client.xadd(f"{stream}-done", {"done": number})
    note("effect", number)
    if fault == "killed" and role[0] == "first" and number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    if fault != "noack":
        client.xack(stream, GROUP, identity)


def pop(client: "redis.Redis") -> None:
    while True:
        found = client.brpop([stream], timeout=2)
        if found:
            note("received", int(found[1]))


def send_on(client: "redis.Redis") -> None:
    """Send, through the loss of the broker."""
    for number in range(2 * COUNT):
        for turn in range(1_000):
            note("publish", number, turn=turn)
            try:
                client.xadd(stream, {"number": number, "turn": turn})
                break
            except redis.ConnectionError as error:
                note("failed", number, turn=turn, error=type(error).__name__)
                time.sleep(0.1)
        note("sent", number, turn=turn)
        time.sleep(0.02)  # traffic goes on while Redis is away


def drive_on(client: "redis.Redis") -> None:
    """The fault `cut`."""
    client.xgroup_create(stream, GROUP, "0", mkstream=True)
    worker = subprocess.Popen(
        [sys.executable, __file__, folder, url, stream, fault, "first"], env=environment("worker")
    )
    sending = threading.Thread(target=send_on, args=(client,))
    sending.start()
    until(10)
    redis.Redis.from_url(url).save()
    until(20)
    print("ready", flush=True)
    while not (Path(folder) / "go").exists():
        time.sleep(0.05)
    sending.join()
    time.sleep(1)  # what still comes; what Redis has lost never does, so there is no count to wait for
    worker.kill()
    worker.wait(60)


def until(count: int) -> None:
    deadline = time.monotonic() + 60
    while len(noted("received")) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def drive(client: "redis.Redis") -> None:
    if fault != "list":
        client.xgroup_create(stream, GROUP, "0", mkstream=True)
    command = [sys.executable, __file__, folder, url, stream, fault]
    worker = subprocess.Popen([*command, "first"])
    for number in range(COUNT):
        if fault == "list":
            client.lpush(stream, number)
        else:
            client.xadd(stream, {"number": number})
        note("sent", number)
        time.sleep(0.002)
    if fault == "killed":
        assert worker.wait(60) == -signal.SIGKILL
        worker = subprocess.Popen([*command, "second"])
    deadline = time.monotonic() + 60
    wanted = 5 if fault == "slow" else COUNT
    while len({each["number"] for each in noted("received")}) < wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    worker.kill()
    worker.wait(60)


connected = redis.Redis.from_url(url)
if fault == "cut":
    (work_on if role else drive_on)(connected)
elif not role:
    drive(connected)
elif fault == "list":
    pop(connected)
else:
    work(connected)
