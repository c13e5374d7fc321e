"""Says every signal that it gets, one line each, and ends in peace on SIGTERM and SIGINT."""

import os
import signal
import sys
import time

from pyee.base import EventEmitter

bus = EventEmitter()
ending: list[str] = []


def told(number: int, _frame: object) -> None:
    name = signal.Signals(number).name
    bus.emit("signal", name)
    os.write(1, f"{name}\n".encode())
    if name in {"SIGTERM", "SIGINT"}:
        ending.append(name)


for each in ("HUP", "INT", "TERM", "USR1", "USR2", "WINCH", "TTIN", "TTOU", "QUIT", "ALRM", "CONT", "URG"):
    signal.signal(getattr(signal, f"SIG{each}"), told)
print(f"ready {os.getpid()}", flush=True)
deadline = time.monotonic() + 60
while not ending and time.monotonic() < deadline:
    signal.sigtimedwait((), 0.05)
time.sleep(0.3)  # whoever is told twice is told by now
sys.exit(42)
