"""How a service says that it is ready, and how it learns that it should stop.

The protocol with the parent process: one line `READY <address>` on standard output, then work until SIGTERM
or SIGINT. A service whose parent is gone (its standard input ends) stops as well: none is left behind.
"""

import asyncio
import os
import signal
import threading
from types import FrameType

READY = "READY"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def announce_ready(address: str = "-") -> None:
    """Tell the parent that this service can be used, and where."""
    print(READY, address, flush=True)


def stop_requested() -> asyncio.Event:
    """Return an event of the running loop that is set when this process is asked to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    _follow_parent()
    return stop


def stop_requested_in_thread() -> threading.Event:
    """Return an event that is set when this process is asked to stop; for services without a loop."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in STOP_SIGNALS:
        signal.signal(number, on_signal)
    _follow_parent()
    return stop


def _follow_parent() -> None:
    if os.environ.get("SHOP_SUPERVISED") != "1":
        return

    def wait_for_end() -> None:
        # os.read, not sys.stdin: a daemon thread must not hold the buffer's lock when the interpreter ends.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_end, name="follow-parent", daemon=True).start()
