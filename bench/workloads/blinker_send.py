"""blinker: send a signal to one receiver."""

import itertools
from typing import Any

import measuring
from blinker import signal

options = measuring.options()
created = signal("order-created")
handled = itertools.count()


@created.connect
def count(sender: str, order: dict[str, Any]) -> None:
    next(handled)


events = measuring.events(options.all)
for event in events[: options.warm_up]:
    created.send("shop", order=event)
with measuring.measured(options):
    for burst in measuring.bursts(events[options.warm_up :], options):
        for event in burst:
            created.send("shop", order=event)
assert next(handled) == options.all
