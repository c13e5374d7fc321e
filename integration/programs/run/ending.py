"""Emits an event and ends itself as it is told: by a signal, an exit code, or an exception."""

import os
import sys

from pyee.base import EventEmitter

EventEmitter().emit("ending")
how = sys.argv[1]
if how.startswith("-"):
    os.kill(os.getpid(), int(how[1:]))
elif how == "raise":
    raise RuntimeError("as told")
sys.exit(int(how))
