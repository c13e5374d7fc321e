"""A program to be recorded: emits an event for every line that it is given, and says when its handler had it."""

import sys

from pyee.base import EventEmitter

bus = EventEmitter()


def on_line(line: str) -> None:
    """Handle a line."""
    print("handled", line, flush=True)
    if line == "bad":
        raise ValueError(line)


bus.on("line", on_line)
for line in sys.stdin:
    try:
        bus.emit("line", line.strip())
    except ValueError:
        print("failed", flush=True)
