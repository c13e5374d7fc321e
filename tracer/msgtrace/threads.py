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
_restores: list[tuple[Any, str, Any]] = []


def carry_causes() -> None:
    """Wrap the starting and running of threads and of executors' work items. Once."""
    if _restores:
        return
    _wrap_pair(threading.Thread, "start", "_bootstrap_inner")
    executor = sys.modules.get("concurrent.futures.thread")
    if executor is None:
        import concurrent.futures.thread as executor  # noqa: PLC0415 - the library that has an executor has loaded it
    _wrap_pair(executor._WorkItem, "__init__", "run")  # type: ignore[attr-defined]  # noqa: SLF001 - no public seam


def release_causes() -> None:
    """Put the originals back."""
    while _restores:
        owner, name, original = _restores.pop()
        setattr(owner, name, original)


def _wrap_pair(owner: type, start: str, inner: str) -> None:
    """`start` notes the starter's cause on the instance, `inner`, which runs in the new thread, takes it up."""
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
