"""What these programs have in common: a bus with a count of its own, and an account at the end, which SIGTERM asks for.

None of them knows msgtrace.
"""

import gc
import json
import os
import signal
import sys
import threading
from collections import Counter

from pyee.asyncio import AsyncIOEventEmitter
from pyee.base import EventEmitter

emitted: Counter[str] = Counter()
handled: Counter[str] = Counter()
bus = EventEmitter()
ended = threading.Event()


@bus.on("tick")
def on_tick(_number: int) -> None:
    handled[threading.current_thread().name] += 1


def tick() -> None:
    """Emit this thread's next number."""
    name = threading.current_thread().name
    emitted[name] += 1
    bus.emit("tick", int(name.rpartition("-")[2] if "-" in name else 0) * 1_000_000 + emitted[name])


def standing() -> dict[str, object]:
    """Everything that could be found changed, by name."""
    owners = (EventEmitter, AsyncIOEventEmitter, threading.Thread)
    found: dict[str, object] = {
        f"{owner.__qualname__}.{name}": value for owner in owners for name, value in vars(owner).items()
    }
    for name, things in (("meta_path", sys.meta_path), ("path", sys.path), ("callbacks", gc.callbacks)):
        found |= {f"{name}[{position}]": thing for position, thing in enumerate(things)}
    found |= {f"signal {number}": signal.getsignal(number) for number in signal.valid_signals()}
    found |= {"environment": dict(os.environ)} | {f"main {name}": None for name in vars(sys.modules["__main__"])}
    return found


def tell(before: dict[str, object]) -> None:
    """Print the account."""
    after = standing()
    names = sorted(before.keys() | after.keys())
    same = {n for n in names if n in before and n in after and (before[n] is after[n] or before[n] == after[n])}
    account = {"emitted": emitted, "handled": handled, "changed": [name for name in names if name not in same]}
    print(json.dumps(account), flush=True)
