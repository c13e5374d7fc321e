"""Writes its standard input back, line by line to both outputs; says of each stream whether it is a terminal."""

import contextlib
import os
import sys
from pathlib import Path

from pyee.base import EventEmitter

bus = EventEmitter()


def state_of(descriptor: int) -> str:
    with contextlib.suppress(OSError):
        os.fstat(descriptor)
        return "terminal" if os.isatty(descriptor) else "stream"
    return "closed"


state = [state_of(d) for d in range(3)]
bus.emit("streams", state)
if len(sys.argv) > 1:
    Path(sys.argv[1]).write_text(",".join(state))
if sys.stdin is not None:
    for line in sys.stdin:
        bus.emit("line", line)
        if sys.stdout is not None:
            print("out", line.strip(), flush=True)
        if sys.stderr is not None:
            print("err", line.strip(), file=sys.stderr, flush=True)
