"""Recording that was begun in the middle of a process's life: how it begins, when it ends by itself, what it says of itself.

Whoever attached holds a lock as long as somebody reads. When a segment is full and the lock is free, everything is taken
out of the program again: nobody who attaches and dies leaves recording behind.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from msgtrace import start
from msgtrace.settings import Settings
from msgtrace.spool import is_held

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCK: Final = "attached"
"""The file in the spool folder that is locked as long as somebody reads."""
NOTED: Final = "attached-"
"""With its pid behind it, the file there that notes a process as attached to."""

_lender: Any = None
"""What lent us our packages; kept when it is over, because what was loaded once can't be loaded again."""


def begin(variables: Mapping[str, str], lender: Any) -> tuple[str, str]:
    """Start recording here.

    Args:
        variables: the settings, as the environment has them.
        lender: what lends us our packages, on `sys.meta_path`; None where the program has them or was lent them before.

    Returns:
        `attached` and the libraries that are hooked now; `already` when something records here; `failed` and why.
    """
    global _lender  # noqa: PLW0603 - one a process
    tracer = start.active()
    if tracer is not None and not tracer.over:
        return "already", ""
    _lender = lender or _lender
    if _lender is not None and _lender not in sys.meta_path:
        sys.meta_path.append(_lender)
    settings = Settings.read(variables)
    conceal = None if _lender is None else _lender.conceal
    tracer = start.start_with(settings, conceal, lambda: not is_read(settings.spool))
    if tracer.failure:
        _leave()
        return "failed", tracer.failure
    tracer.find()
    placed = () if tracer.engine is None else tracer.engine.placed
    return "attached", ",".join(dict.fromkeys(each.hook.library for each in placed if each.status == "wrapped"))


def _leave() -> None:
    start.stop()
    if _lender is not None:
        _lender.conceal()
        if _lender in sys.meta_path:
            sys.meta_path.remove(_lender)


def end() -> tuple[str, str]:
    """End recording here.

    Returns:
        `detached` and the targets that somebody else has wrapped since and so could not be put back; `absent` when
        nothing records here; `foreign` where it was not attached that began it.
    """
    tracer = start.active()
    if tracer is None or tracer.over:
        return "absent", ""
    if not tracer.attached:
        return "foreign", ""
    _leave()
    placed = () if tracer.engine is None else tracer.engine.placed
    return "detached", ",".join(each.point.target for each in placed if each.status == "wrapped")


def is_read(spool: str) -> bool:
    """Whether somebody holds the lock of a spool folder."""
    return is_held(f"{spool}/{LOCK}")
