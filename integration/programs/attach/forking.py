"""Forks a worker when SIGUSR1 asks for one; each emits."""

import os
import signal
import sys
import time

from account import bus

ended: list[int] = []
asked: list[int] = []
signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
print("ready", flush=True)
while not ended:
    if asked:
        asked.clear()
        if os.fork() == 0:
            print("forked", os.getpid(), flush=True)
    bus.emit("tick", 1)
    time.sleep(0.005)
sys.exit()
