"""A Celery application whose tasks emit on a bus; its broker is a folder, or what BROKER says."""

import os

from celery import Celery
from pyee.base import EventEmitter

bus = EventEmitter()
app = Celery("tasks", broker=os.environ.get("BROKER", "filesystem://"))
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_redirect_stdouts=False,
    task_default_queue=os.environ.get("QUEUE", "celery"),
)
if "BROKER" not in os.environ:
    folder = os.environ["FOLDER"]
    app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}


@app.task
def charge(number: int) -> None:
    bus.emit("charged", number)
    ship.delay(number)


@app.task
def ship(number: int) -> None:
    bus.emit("shipped", number)
    print("shipped", number, os.getpid(), flush=True)
