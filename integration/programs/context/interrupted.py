"""Emits while it is emitting: from signal handlers, finalisers and weak references' callbacks, at any instant."""

import gc
import json
import signal
import sys
import weakref
from typing import Any

from blinker import Namespace

bus = Namespace()
counts = {"plain": 0, "signal": 0, "finaliser": 0, "weak": 0, "heard": 0}
refs: list[Any] = []


@bus.signal("plain").connect
def hear(_sender: Any, number: int, padding: str) -> None:
    counts["heard"] += 1


def tell(event: str) -> None:
    counts[event] += 1
    bus.signal(event).send(number=counts[event])


class Ring:
    """Only the garbage collector ends it: whenever that runs, in the middle of whatever is allocating."""

    def __init__(self) -> None:
        self.ring = self

    def __del__(self) -> None:
        tell("finaliser")


class Watched:
    pass


def watched() -> None:
    thing = Watched()
    refs.append(weakref.ref(thing, lambda _: tell("weak")))
    thing.ring = thing  # type: ignore[attr-defined]


def on_signal(*_: Any) -> None:
    tell("signal")
    gc.collect(0)


gc.set_threshold(23, 2, 2)
signal.signal(signal.SIGALRM, on_signal)
for number in range(int(sys.argv[1])):
    # Once, and from here: a handler that takes longer than until the next signal would never end.
    signal.setitimer(signal.ITIMER_REAL, 1e-6 * (1 + number % 60))
    counts["plain"] += 1
    bus.signal("plain").send(number=number, padding="x" * (number % 50))
    Ring()
    watched()
signal.setitimer(signal.ITIMER_REAL, 0)
gc.collect()
gc.disable()
print(json.dumps(counts))
