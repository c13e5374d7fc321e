"""Carries the cause into gevent's greenlets, each of which begins with an empty context.

By gevent's own spawn callbacks: `Greenlet` is compiled, its methods can't be replaced. Only while a message is being
handled. Not reached: `spawn_raw`, which makes a greenlet without them, and gevent's pool of native threads.
"""

from __future__ import annotations

import sys
from contextvars import Context
from typing import Any

from msgtrace.context import CURRENT

_told: list[Any] = []


def carry_causes() -> None:
    """Be told of every greenlet that starts, once."""
    kind = getattr(sys.modules.get("gevent.greenlet"), "Greenlet", None)
    if kind is not None and not _told:
        kind.add_spawn_callback(_started)
        _told.append(kind)


def release_causes() -> None:
    """Be told no more."""
    while _told:
        _told.pop().remove_spawn_callback(_started)


def _started(greenlet: Any) -> None:
    """Called in the greenlet that starts another, before that runs."""
    cause = CURRENT.get()
    if cause is None:
        return
    try:
        if greenlet.gr_context is None:  # else it is the program's business
            context = Context()
            context.run(CURRENT.set, cause)
            greenlet.gr_context = context
    except (AttributeError, TypeError, ValueError):
        return  # a greenlet that was never initialised, or of another thread: gevent says so
