"""Hooks `urllib.request` when the program first asks something over HTTP with it, and not when it imports it.

Half of all programs import it and never call it; the engine would cost each of them more than the import itself.
Until then a function of three lines stands in the place of `AbstractHTTPHandler.do_open`.
"""

from __future__ import annotations

import functools
import sys
import threading

TYPE_CHECKING = False  # as typing has it: the program need not have imported that
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

MODULE: Final = "urllib.request"
_NAME: Final = "do_open"
_release: Callable[[], None] | None = None


def await_first_call(hook: Callable[[], None]) -> None:
    """Have `hook` called, once, before the first request.

    Args:
        hook: puts the hook in. Never raises.
    """
    global _release  # noqa: PLW0603 - as the tracer, there is one a process
    handler: Any = sys.modules[MODULE].AbstractHTTPHandler
    original = vars(handler)[_NAME]
    lock = threading.Lock()

    def release() -> None:
        if vars(handler)[_NAME] is waiting:
            setattr(handler, _NAME, original)

    def waiting(*args: Any, **kwargs: Any) -> Any:
        ours = vars(handler)[_NAME] is waiting
        with lock:
            release()
            hook()
        # Somebody else's wrapper that calls us has been hooked now, for the next request.
        return (vars(handler)[_NAME] if ours else original)(*args, **kwargs)

    functools.update_wrapper(waiting, original)
    setattr(handler, _NAME, waiting)
    _release = release


def stop_waiting() -> None:
    """Put back what stood there, if nothing was asked."""
    if _release is not None:
        _release()
