"""Retries with backoff and stamina, and what celery and kombu declare. Prints what it did."""

import asyncio
import json
import sys

import backoff
import stamina
from pyee.base import EventEmitter

bus = EventEmitter()
calls: dict[str, int] = {}


def flaky(name: str, failures: int) -> int:
    calls[name] = calls.get(name, 0) + 1
    if calls[name] <= failures:
        raise ConnectionError(name)
    return calls[name]


@backoff.on_exception(backoff.expo, ConnectionError, max_tries=4, factor=0.01, max_value=0.02, jitter=None)
def backed_off(failures: int) -> int:
    return flaky("backed_off", failures)


@backoff.on_exception(backoff.constant, (ConnectionError, KeyError), max_tries=2, interval=0.001)
async def backed_off_later() -> int:
    return flaky("backed_off_later", 99)


@backoff.on_predicate(backoff.fibo, lambda found: found < 3, max_value=0.01, max_time=60)
def until() -> int:
    return flaky("until", 0)


@stamina.retry(on=ConnectionError, attempts=3, wait_initial=0.01, wait_max=0.02, wait_jitter=0.0)
def stable(failures: int) -> int:
    return flaky("stable", failures)


@stamina.retry(on=ConnectionError, attempts=2, timeout=None, wait_initial=0.001, wait_max=0.02)
async def stable_later() -> int:
    return flaky("stable_later", 1)


def block() -> None:
    for attempt in stamina.retry_context(on=ConnectionError, attempts=5, wait_initial=0.001, wait_jitter=0):
        with attempt:
            flaky("block", 1)


@bus.on("order")
def on_order(number: int) -> None:
    backed_off(2)
    stable(1)
    until()
    block()


bus.emit("order", 1)
bus.emit("order", 2)
try:
    asyncio.run(backed_off_later())
except ConnectionError:
    calls["gave up"] = 1
asyncio.run(stable_later())

if "celery" in sys.argv:
    from celery import Celery, Task

    app = Celery("shop", broker="memory://", backend="cache+memory://")
    app.conf.task_always_eager = True

    @app.task(
        name="ship",
        autoretry_for=(ConnectionError,),
        max_retries=4,
        retry_backoff=2,
        retry_backoff_max=60,
        retry_jitter=False,
        acks_late=True,
        rate_limit="10/m",
    )
    def ship(failures: int) -> int:
        return flaky("ship", failures)

    @app.task(bind=True, max_retries=1, default_retry_delay=7)
    def bill(self: Task) -> int:
        try:
            return flaky("bill", 99)
        except ConnectionError as error:
            raise self.retry(exc=error) from error

    class Weigh(Task):
        name = "weigh"
        max_retries = 2

        def run(self) -> None:
            calls["weigh"] = 1

    weigh = app.register_task(Weigh())
    calls["shipped"] = ship.delay(2).get()
    calls["billed"] = str(type(bill.delay().result).__name__)
    weigh.delay()
    app.conf.task_always_eager = False
    ship.apply_async((0,), retry=True, retry_policy={"max_retries": 6, "interval_start": 0.5, "interval_max": 3})
print(json.dumps(calls))
