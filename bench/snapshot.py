"""What a snapshot of an in-process event's arguments costs, for each value in it, and what encoding it adds.

    python -m bench.snapshot [seconds-per-case]

`as it is`: plain data within the bounds, which is looked at and encoded without a copy. `copied`: anything else. CPU
time of the thread, best of several runs, because whatever else runs on the machine only ever adds.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec

from msgtrace.settings import Settings
from msgtrace.snapshot import snapshot, stand_in

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 200
LIMITS = Settings()


class Status(enum.Enum):
    """A state of an order."""

    PAID = "paid"


@dataclasses.dataclass
class Line:
    """A line of an order."""

    sku: str
    quantity: int
    price: decimal.Decimal


@dataclasses.dataclass
class Order:
    """An order, as a program without messages in mind has it."""

    number: int
    status: Status
    placed_at: dt.datetime
    lines: list[Line]


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """An event, as a program that thinks of them has it."""

    number: int
    kind: str
    amount: float


WHEN = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
CASES: dict[str, tuple[Any, int]] = {
    "a text": ("order 4711", 1),
    "dict of 10": ({f"field {n}": n if n % 2 else f"value {n}" for n in range(10)}, 11),
    "nested order, plain": (
        {"id": 4711, "status": "paid", "at": WHEN, "lines": [{"sku": "a", "n": 1, "price": 1.5} for _ in range(5)]},
        1 + 4 + 5 + 15,
    ),
    "list of 150": (list(range(150)), 151),
    "list of 10,000, cut": (list(range(10_000)), LIMITS.snapshot_nodes),
    "text of 1 MB, cut": ("x" * (1 << 20), 1),
    "slotted event": (Event(1, "paid", 1.5), 4),
    "order with 5 lines": (Order(1, Status.PAID, WHEN, [Line("a", 1, decimal.Decimal("1.5"))] * 5), 1 + 4 + 20),
    "20 events in a list": ([Event(1, "paid", 1.5)] * 20, 1 + 80),
    "exception": (ValueError("no such order", 4711), 4),
}
"""Name -> the event's argument, and how many values are in it or kept of it."""


def best_ns(call: Callable[[], Any], seconds: float) -> float:
    """Nanoseconds a call, in the best of the runs that fit into the time."""
    best, until = float("inf"), time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.thread_time_ns()
        for _ in range(CALLS):
            call()
        best = min(best, (time.thread_time_ns() - began) / CALLS)
    return best


def main() -> int:
    """Measure every case."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
    encode = msgspec.msgpack.Encoder(enc_hook=stand_in).encode
    idle = best_ns(lambda: None, seconds)
    print(f"Python {sys.version.split()[0]}, at most {LIMITS.snapshot_nodes} values and {LIMITS.body_limit} bytes")
    print(f"{'':24}{'':>12}{'values':>8}{'snapshot':>11}{'a value':>9}{'encoding':>10}   ns")
    for name, (value, count) in CASES.items():
        arguments = (value,)
        taken = snapshot(arguments, {}, LIMITS.snapshot_nodes, LIMITS.body_limit)
        how = "as it is" if taken is value else "copied"
        cost = best_ns(lambda a=arguments: snapshot(a, {}, LIMITS.snapshot_nodes, LIMITS.body_limit), seconds) - idle
        encoding = best_ns(lambda t=taken: encode(t), seconds) - idle
        print(f"{name:24}{how:>12}{count:8}{cost:11.0f}{cost / count:9.0f}{encoding:10.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
