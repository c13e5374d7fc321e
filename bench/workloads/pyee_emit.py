"""pyee: emit an event to one listener."""

import itertools
from typing import Any

import measuring
from pyee.base import EventEmitter

options = measuring.options()
emitter = EventEmitter()
handled = itertools.count()


@emitter.on("order.created")
def count(order: dict[str, Any]) -> None:
    next(handled)


events = measuring.events(options.all)
for event in events[: options.warm_up]:
    emitter.emit("order.created", event)
with measuring.measured(options):
    for burst in measuring.bursts(events[options.warm_up :], options):
        for event in burst:
            emitter.emit("order.created", event)
assert next(handled) == options.all
