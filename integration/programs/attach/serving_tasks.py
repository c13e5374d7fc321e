"""A Celery application: a task emits its number on a bus and says at the broker, beside Celery, that it did; another accounts.

Run as a script it is the load: it sends numbered tasks until SIGTERM, and then says how many.
"""

import json
import os
import signal
import time

import redis
from account import bus, emitted, handled
from celery import Celery
from unchanged import changed, standing_now

LIBRARIES = ("celery", "kombu", "redis", "pyee")
QUEUE = os.environ["QUEUE"]
app = Celery("serving_tasks", broker=os.environ["BROKER"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_redirect_stdouts=False,
    worker_prefetch_multiplier=1,
    task_default_queue=QUEUE,
)
told = redis.from_url(os.environ["BROKER"])


@bus.on("request")
def on_request(_number: int) -> None:
    handled["requests"] += 1


@app.task
def tick(number: int) -> None:
    standing_now(LIBRARIES)
    began = time.monotonic_ns()
    emitted["requests"] += 1
    bus.emit("request", number)
    told.rpush(f"{QUEUE}.done", json.dumps([number, began, time.monotonic_ns()]))


@app.task
def account() -> None:
    mine = {"pid": os.getpid(), "emitted": emitted["requests"], "handled": handled["requests"]}
    told.rpush(f"{QUEUE}.accounts", json.dumps({**mine, "changed": changed(LIBRARIES)}))


def main() -> None:
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(1))
    number = 0
    while not over:
        number += 1
        tick.delay(number)
        time.sleep(0.01)
    print(number, flush=True)


if __name__ == "__main__":
    main()
