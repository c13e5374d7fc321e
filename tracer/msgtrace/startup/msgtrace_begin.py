"""Finds msgtrace for an interpreter that may not have it, and starts it.

An interpreter of the same kind and minor version is lent ours: msgtrace and the few packages it needs, and nothing else
of the environment that we run in, so that what the program can import stays as it was.
"""

from __future__ import annotations

import os
import sys
from typing import Any

LENT = frozenset({"msgtrace", "msgspec", "wrapt"})


class Lender:
    """The last entry of `sys.meta_path`: finds the lent packages, when the program's own environment has not."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = folders

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """See `importlib.abc.MetaPathFinder.find_spec`."""
        if path is not None or name not in LENT:
            return None
        from importlib.machinery import PathFinder  # noqa: PLC0415 - loaded in every interpreter, bound on use

        return PathFinder.find_spec(name, self._folders, target)


def begin(note: Any) -> None:
    """Start recording.

    Args:
        note: says why this process can't be recorded.
    """
    import importlib.util  # noqa: PLC0415

    folders = [p for p in os.environ.get("MSGTRACE_LEND", "").split(os.pathsep) if p]
    own = importlib.util.find_spec("msgtrace") is not None and importlib.util.find_spec("msgspec") is not None
    if not own:
        if os.environ.get("MSGTRACE_TAG") != sys.implementation.cache_tag:
            note(
                f"{sys.executable} is {sys.implementation.cache_tag} and has no msgtrace, which runs as "
                f"{os.environ.get('MSGTRACE_TAG')} here; install it there: {sys.executable} -m pip install msgtrace"
            )
            return
        sys.meta_path.append(Lender(folders))
    from msgtrace.start import start  # noqa: PLC0415

    start()
