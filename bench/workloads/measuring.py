"""What the workloads share: their options, their messages, and the measurement around their loop. Knows no broker.

A workload is an ordinary program in this folder that does not know that it may be traced. It does its warm-up, then its loop
inside `measured`, and prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BODY_BYTES: Final = 200
DISTINCT_EVENTS: Final = 1_000
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Options:
    """What a workload is told.

    Attributes:
        messages: sent, or consumed, in the measured loop.
        warm_up: the same before it.
        burst: messages between two pauses; 0 for one burst.
        pause_s: length of such a pause, seconds. A sleeping program uses no CPU, so what is measured in a pause is the work of
            other threads: exporters send then.
        url: the broker's.
        channel: a queue, topic or channel that nobody else uses.
        step: `run` measures, `prepare` lays down what will be consumed, `clean` removes it.
    """

    messages: int
    warm_up: int
    burst: int
    pause_s: float
    url: str
    channel: str
    step: str

    @property
    def all(self) -> int:
        """Warm-up and measured messages together."""
        return self.messages + self.warm_up


def options() -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="A workload of `python -m bench`.")
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True)
    parser.add_argument("--burst", type=int, default=0)
    parser.add_argument("--pause-s", type=float, default=0.0)
    parser.add_argument("--url", default="")
    parser.add_argument("--channel", default="bench")
    parser.add_argument("--step", choices=["run", "prepare", "clean"], default="run")
    return Options(**vars(parser.parse_args()))


def event(number: int) -> dict[str, Any]:
    """An order of exactly `BODY_BYTES` as compact JSON, another one for every number below 100 million."""
    order = {
        "event": "order.created",
        "order_id": f"o-{number:08d}",
        "customer": {"id": number % 997, "country": "NO"},
        "items": [{"sku": "A-1001", "quantity": 2}],
        "total_cents": 12_990,
        "currency": "EUR",
        "note": "",
    }
    order["note"] = "x" * (BODY_BYTES - len(json.dumps(order, separators=(",", ":"))))
    return order


def body(number: int) -> bytes:
    """An event as it goes over the wire."""
    return json.dumps(event(number), separators=(",", ":")).encode()


def events(count: int) -> list[dict[str, Any]]:
    """Events for an in-process bus; they repeat, so that the program's memory stays small."""
    distinct = [event(number) for number in range(min(count, DISTINCT_EVENTS))]
    return [distinct[number % len(distinct)] for number in range(count)]


def bodies(count: int) -> list[bytes]:
    """Bodies for the wire, each one different."""
    return [body(number) for number in range(count)]


def bursts(items: Sequence[Item], chosen: Options) -> Iterator[Sequence[Item]]:
    """The items in bursts with pauses in between, so that a fast loop does not outrun what records it."""
    size = chosen.burst or len(items)
    for start in range(0, len(items), size):
        if start:
            time.sleep(chosen.pause_s)
        yield items[start : start + size]


@contextmanager
def measured(chosen: Options) -> Iterator[None]:
    """Measure the block, and print what it took: the CPU time of the whole process, all threads, wall time, and waits."""
    waits, wall, cpu = _waits(), time.perf_counter_ns(), time.process_time_ns()
    yield
    cpu, wall, waits = time.process_time_ns() - cpu, time.perf_counter_ns() - wall, _waits() - waits
    said = {"messages": chosen.messages, "warm_up": chosen.warm_up}
    print(json.dumps({**said, "cpu_us": cpu / 1000, "wall_us": wall / 1000, "waits": waits}), flush=True)


def _waits() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
