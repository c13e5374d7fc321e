"""Threads that emit as fast as they can, of which any may be interrupted between any two instructions."""

import json
import sys
import threading

from pyee.base import EventEmitter

emitter = EventEmitter()
emitter.on("tick", lambda who, number: emitter.emit("tock", who, number))
THREADS, TICKS = 8, int(sys.argv[1])
sys.setswitchinterval(1e-6)


def run(who: int) -> None:
    for number in range(TICKS):
        emitter.emit("tick", who, number)


threads = [threading.Thread(target=run, args=(who,), name=f"runner {who}") for who in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"threads": THREADS, "ticks": TICKS}))
