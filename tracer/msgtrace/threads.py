"""Carries the cause into threads and executors, which do not copy the context of whoever starts them.

Only while a message is being handled: a thread that is started outside of that is left alone. What a thread is told to
do through a queue of the program's own can't be seen: it goes on with what it was started with.
"""

from __future__ import annotations

import functools
import sys
import threading
from typing import Any

from msgtrace.context import CURRENT

_NAME = "_msgtrace_cause"
EXECUTORS = "concurrent.futures.thread"
_restores: list[tuple[Any, str, Any, Any]] = []


def carry_causes(module: str) -> None:
    """Wrap what starts and runs threads (`threading`) or executors' work items (`concurrent.futures.thread`). Once each.

    The latter is never imported for this: it registers with the interpreter's exit, which fails once that has begun.
    """
    if module == "threading":
        _wrap_pair(threading.Thread, "start", "_bootstrap_inner")
    elif module == EXECUTORS and module in sys.modules:
        _wrap_pair(sys.modules[module]._WorkItem, "__init__", "run")  # noqa: SLF001 - no public seam


def release_causes() -> None:
    """Put the originals back, where nobody else has wrapped ours since."""
    for owner, name, original, ours in reversed(_restores):
        if vars(owner).get(name) is ours:
            setattr(owner, name, original)
    _restores.clear()


def _wrap_pair(owner: type, start: str, inner: str) -> None:
    """`start` notes the starter's cause on the instance, `inner`, which runs in the new thread, takes it up."""
    if any(owner is done for done, *_ in _restores):
        return
    original_start, original_inner = getattr(owner, start), getattr(owner, inner)

    @functools.wraps(original_start)
    def starting(self: Any, *args: Any, **kwargs: Any) -> Any:
        cause = CURRENT.get()
        if cause is None:
            return original_start(self, *args, **kwargs)
        noted = _namespace(self)
        # An executor's work item that the library makes for a handler is that handler; all else is only started by it.
        noted[_NAME] = cause, cause.awaits_future and owner is not threading.Thread
        try:
            return original_start(self, *args, **kwargs)
        except BaseException:
            noted.pop(_NAME, None)  # there is no such thread
            raise

    @functools.wraps(original_inner)
    def running(self: Any, *args: Any, **kwargs: Any) -> Any:
        cause, is_handler = _namespace(self).pop(_NAME, (None, False))
        if is_handler:
            cause.settle_in()
        # An executor's thread may have been started in a handler: what is submitted elsewhere is not that handler's work.
        if cause is CURRENT.get():
            return original_inner(self, *args, **kwargs)
        token = CURRENT.set(cause)
        try:
            return original_inner(self, *args, **kwargs)
        finally:
            CURRENT.reset(token)

    for name, original, ours in ((start, original_start, starting), (inner, original_inner, running)):
        setattr(owner, name, ours)
        _restores.append((owner, name, original, ours))


def _namespace(instance: Any) -> dict[str, Any]:
    """An instance's own namespace, past whatever its class makes of attributes."""
    try:
        found = object.__getattribute__(instance, "__dict__")
    except AttributeError:  # without one
        return {}
    return found if type(found) is dict else {}
