"""Retries with tenacity inside handlers of a bus: decorated, as a block, called, asynchronous. Prints what it did."""

import asyncio
import inspect
import json

from pyee.base import EventEmitter
from tenacity import (
    AsyncRetrying,
    RetryError,
    Retrying,
    retry,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
    wait_fixed,
    wait_incrementing,
    wait_random,
)

bus = EventEmitter()
calls: dict[str, int] = {}


def flaky(name: str, failures: int, error: type[Exception] = ConnectionError) -> int:
    calls[name] = calls.get(name, 0) + 1
    if calls[name] <= failures:
        raise error(name)
    return calls[name]


@retry(stop=stop_after_attempt(4), wait=wait_exponential(multiplier=0.01, min=0.01, max=0.03), reraise=True)
def charge(failures: int) -> int:
    """Takes the money."""
    return flaky("charge", failures)


@retry(
    stop=stop_after_attempt(2) | stop_after_delay(60),
    wait=wait_fixed(0.005) + wait_random(0, 0.001),
    retry=retry_if_exception_type((KeyError, OSError)),
)
def give_up() -> int:
    return flaky("give_up", 99)


@retry(retry=retry_if_result(lambda found: found < 2), wait=wait_incrementing(0.001, 0.002, 0.01))
def by_result() -> int:
    return flaky("by_result", 0)


@retry(stop=stop_after_attempt(3), retry=retry_if_exception_type(KeyError), reraise=True)
def not_for_this() -> int:
    return flaky("not_for_this", 1, TypeError)


@retry(stop=stop_after_attempt(3), wait=wait_fixed(0.002))
async def later(failures: int) -> int:
    return flaky("later", failures)


def block(failures: int) -> None:
    for attempt in Retrying(stop=stop_after_attempt(3), wait=wait_fixed(0.001)):
        with attempt:
            flaky("block", failures)


async def async_block() -> None:
    async for attempt in AsyncRetrying(stop=stop_after_attempt(3), wait=wait_fixed(0.001)):
        with attempt:
            flaky("async_block", 1)


@bus.on("order")
def on_order(number: int) -> None:
    charge(2)
    try:
        give_up()
    except RetryError as error:
        ends.append(type(error.last_attempt.exception()).__name__)
    by_result()
    try:
        not_for_this()
    except TypeError:
        ends.append("TypeError")
    block(1)
    Retrying(stop=stop_after_attempt(2))(flaky, "called", 1)


ends: list[str] = []
bus.emit("order", 1)
bus.emit("order", 2)
asyncio.run(later(1))
asyncio.run(async_block())
print(
    json.dumps(
        {
            "calls": calls,
            "ends": ends,
            "seen": [
                charge.__name__,
                charge.__doc__,
                str(inspect.signature(charge)),
                inspect.iscoroutinefunction(later),
                charge.retry.stop.max_attempt_number,
                sorted(charge.statistics),
                type(charge.__wrapped__).__name__,
            ],
        }
    )
)
