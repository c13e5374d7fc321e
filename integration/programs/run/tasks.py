"""A Celery application whose tasks emit on a bus; its broker is what BROKER says."""

import os

from celery import Celery
from pyee.base import EventEmitter

bus = EventEmitter()
app = Celery("tasks", broker=os.environ["BROKER"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_redirect_stdouts=False,
    task_default_queue=os.environ["QUEUE"],
)


@app.task
def charge(number: int) -> None:
    bus.emit("charged", number)
    ship.delay(number)


@app.task
def ship(number: int) -> None:
    bus.emit("shipped", number)
    print("shipped", number, os.getpid(), flush=True)
