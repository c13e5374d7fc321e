"""Keeps a context's variables alive while Python up to 3.11 sets one of them and a finaliser sets one too.

There, the garbage collector may run inside `ContextVar.set`, which goes on reading what a finaliser, or a signal's handler
in the middle of that, has freed by setting a variable of the same context: the interpreter crashes. We set a variable for
every message that is handled, so a program with a finaliser that publishes would be the victim. From 3.12 on the
collector runs between instructions only.

The collector is given a function in C, in which no signal handler of the program's can run: what one raised there, the
interpreter would not pass on (https://github.com/python/cpython/blob/v3.11.0/Modules/gcmodule.c#L1350, `invoke_gc_callback`).
Where there is no compiled part, one of the two in Python can be interrupted so.
"""

from __future__ import annotations

import gc
import sys
from collections import deque
from contextvars import copy_context
from typing import Any, Final

from msgspec import Struct, field

from msgtrace.native import native

COLLECTIONS: Final = 8
"""For how many collections something is kept. One `set` makes a few objects, each of which may start one."""
_held: Final[deque[Any]] = deque(maxlen=2 * COLLECTIONS)


class Held(Struct, weakref=False):
    """The variables of the context that runs, at the start or end of a collection; it puts itself in `_held`.

    The collector is given this class to call, and not a function: before the first instruction of a function a signal's
    handler may run, and what is to be kept would be gone.
    """

    phase: str
    info: Any
    context: Any = field(default_factory=copy_context)

    __post_init__ = _held.append  # type: ignore[misc]  # called with the instance; a function is what it may not be


def _compared(
    phase: str, _info: Any, held: deque[Any] = _held, vars_of: Any = gc.get_referents
) -> None:  # to the very end of the interpreter: it needs no global
    """Keep nothing where nothing was set; else what was there at the start may still be read after the collection."""
    if phase == "stop" and len(held) > 1 and held[-1] is not None and held[-2] is not None:
        before, after = held[-2].context, held[-1].context
        held[-1] = None
        if vars_of(before)[0] is vars_of(after)[0]:
            held[-2] = None


TOLD: Final = (Held, _compared) if native is None else (native.keep_context,)
"""What the collector calls."""


def keep_contexts() -> None:
    """Be told of garbage collections from now on, where it matters."""
    if sys.version_info < (3, 12) and TOLD[0] not in gc.callbacks:
        gc.callbacks[:0] = TOLD


def release_contexts() -> None:
    """Be told no more."""
    for told in TOLD:
        if told in gc.callbacks:
            gc.callbacks.remove(told)
    _held.clear()
    if native is not None:
        native.release_contexts()
