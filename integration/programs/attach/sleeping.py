"""A loop that emits, and sleeps most of the time."""

import signal
import time

from account import ended, standing, tell, tick

signal.signal(signal.SIGTERM, lambda *_: ended.set())
before: dict[str, object] = {}
before.update(standing())
print("ready", flush=True)
while not ended.is_set():
    tick()
    time.sleep(0.002)
tell(before)
