"""Threads that allocate all the time, while the main thread waits for their end."""

import signal
import threading

from account import ended, standing, tell, tick


def work() -> None:
    kept: list[bytes] = []
    while not ended.is_set():
        kept = [bytes(number * 97 % 70_000) for number in range(60)]
        kept += [str(number).encode() * 40 for number in range(200)]
        tick()
    assert kept


signal.signal(signal.SIGTERM, lambda *_: ended.set())
before: dict[str, object] = {}
worker = None
workers = [threading.Thread(target=work, name=f"worker-{number}") for number in range(1, 4)]
for worker in workers:
    worker.start()
before.update(standing())
print("ready", flush=True)
for worker in workers:
    worker.join()
tell(before)
