"""Opens, probes and closes a circuit breaker of each library, inside handlers of a bus. Prints what each one did.

openings.py LIBRARY      pybreaker, circuitbreaker, purgatory, purgatory-async or aiobreaker
"""

import asyncio
import contextlib
import json
import sys
import time
from datetime import timedelta
from typing import Any

from pyee.base import EventEmitter

THRESHOLD = 3
OPEN_S = 0.15

bus = EventEmitter()
down = True
made: list[str] = []


def work() -> str:
    made.append("call")
    if down:
        raise ConnectionError("down")
    return "done"


async def async_work() -> str:
    return work()


def guarded(library: str) -> tuple[Any, Any]:
    """The guarded function, and the error that it raises when it refuses."""
    if library == "pybreaker":
        import pybreaker

        breaker = pybreaker.CircuitBreaker(fail_max=THRESHOLD, reset_timeout=OPEN_S, name="bank", exclude=[KeyError])
        pybreaker.CircuitBreaker(fail_max=1)  # never used
        return breaker(work), pybreaker.CircuitBreakerError
    if library == "circuitbreaker":
        import circuitbreaker

        decorate = circuitbreaker.circuit(failure_threshold=THRESHOLD, recovery_timeout=OPEN_S, name="bank")
        return decorate(work), circuitbreaker.CircuitBreakerError
    if library == "aiobreaker":
        import aiobreaker

        breaker = aiobreaker.CircuitBreaker(fail_max=THRESHOLD, timeout_duration=timedelta(seconds=OPEN_S), name="bank")
        return breaker(async_work), aiobreaker.CircuitBreakerError
    import purgatory
    from purgatory.domain.model import OpenedState

    if library == "purgatory":
        factory = purgatory.SyncCircuitBreakerFactory(default_threshold=THRESHOLD, default_ttl=OPEN_S)
        return factory("bank")(work), OpenedState
    return purgatory.AsyncCircuitBreakerFactory(THRESHOLD, OPEN_S)("bank")(async_work), OpenedState


function, refusal = guarded(sys.argv[1])
results: list[str] = []


@bus.on("order")
def on_order() -> None:
    before = len(made)
    try:
        found = function()
        if asyncio.iscoroutine(found):
            found = asyncio.run(found)
        results.append(found)
    except refusal:
        results.append("opened" if len(made) > before else "refused")
    except ConnectionError:
        results.append("failed")


for _ in range(THRESHOLD + 2):  # the last two are refused
    bus.emit("order")
time.sleep(OPEN_S * 1.2)
bus.emit("order")  # a probe that fails
bus.emit("order")  # refused
time.sleep(OPEN_S * 1.2)
down = False
bus.emit("order")  # a probe that succeeds
bus.emit("order")
with contextlib.suppress(AttributeError):
    results.append(function.__name__)
print(json.dumps(results))
