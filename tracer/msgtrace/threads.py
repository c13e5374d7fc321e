"""Carries the cause into threads and executors, which do not copy the context of whoever starts them.

Only while a message is being handled: a thread that is started outside of that is left alone.
"""

from __future__ import annotations

import functools
import sys
import threading
from typing import Any

from msgtrace.context import CURRENT

_NAME = "_msgtrace_cause"
EXECUTORS = "concurrent.futures.thread"
_restores: list[tuple[Any, str, Any]] = []


def carry_causes(module: str) -> None:
    """Wrap what starts and runs threads (`threading`) or executors' work items (`concurrent.futures.thread`). Once each.

    The latter is never imported for this: it registers with the interpreter's exit, which fails once that has begun.
    """
    if module == "threading":
        _wrap_pair(threading.Thread, "start", "_bootstrap_inner")
    elif module == EXECUTORS and module in sys.modules:
        _wrap_pair(sys.modules[module]._WorkItem, "__init__", "run")  # noqa: SLF001 - no public seam


def release_causes() -> None:
    """Put the originals back."""
    while _restores:
        owner, name, original = _restores.pop()
        setattr(owner, name, original)


def _wrap_pair(owner: type, start: str, inner: str) -> None:
    """`start` notes the starter's cause on the instance, `inner`, which runs in the new thread, takes it up."""
    if any(owner is done for done, _, _ in _restores):
        return
    original_start, original_inner = getattr(owner, start), getattr(owner, inner)

    @functools.wraps(original_start)
    def starting(self: Any, *args: Any, **kwargs: Any) -> Any:
        cause = CURRENT.get()
        if cause is not None:
            try:
                self.__dict__[_NAME] = cause
            except AttributeError:  # an instance without a namespace
                cause = None
        return original_start(self, *args, **kwargs)

    @functools.wraps(original_inner)
    def running(self: Any, *args: Any, **kwargs: Any) -> Any:
        cause = getattr(self, "__dict__", {}).pop(_NAME, None)
        if cause is None:
            return original_inner(self, *args, **kwargs)
        token = CURRENT.set(cause)
        try:
            return original_inner(self, *args, **kwargs)
        finally:
            CURRENT.reset(token)

    setattr(owner, start, starting)
    setattr(owner, inner, running)
    _restores.extend([(owner, start, original_start), (owner, inner, original_inner)])
