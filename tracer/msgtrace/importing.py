"""Learns that the program has imported a library, without importing it, and without being seen at it.

A finder that finds nothing itself: for a module of interest it asks the others, and arranges to be told when the module
has been executed. The module's spec and loader stay the ones that it would have had.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class ImportWatch:
    """An entry for the front of `sys.meta_path`.

    Args:
        before: called with the name of a watched top module when the program begins to import it; returns names of
            modules to watch for.
        after: called with a watched module's name once it has been executed.
        tops: the top modules.
    """

    def __init__(
        self, before: Callable[[str], Iterable[str]], after: Callable[[str], None], tops: Iterable[str]
    ) -> None:
        self._before = before
        self._after = after
        self._tops = set(tops)
        self._watched: set[str] = set()
        self._searching: set[str] = set()

    def watch(self, names: Iterable[str]) -> None:
        """Watch for more modules."""
        self._watched.update(names)

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder.find_spec`; None for everything that is not watched."""
        if name in self._searching:
            return None
        if name in self._tops:
            self._tops.discard(name)
            self._searching.add(name)
            try:
                self._watched.update(self._before(name))
            finally:
                self._searching.discard(name)
        if name not in self._watched:
            return None
        spec = self._ask_others(name, path, target)
        loader = getattr(spec, "loader", None)
        if loader is None or not hasattr(loader, "exec_module"):
            return spec
        self._arrange(name, loader)
        return spec

    def _ask_others(self, name: str, path: Any, target: ModuleType | None) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is self:
                continue
            find_spec = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find_spec(name, path, target) if find_spec is not None else None
            if spec is not None:
                return spec
        return None

    def _arrange(self, name: str, loader: Any) -> None:
        """Shadow `exec_module` on this one loader instance until it has been called."""
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            if module.__name__ != name:
                execute(module)  # a loader that serves several modules, as zipimport's
                return
            with contextlib.suppress(AttributeError):
                del loader.exec_module
            execute(module)
            self._watched.discard(name)
            self._after(name)

        try:
            loader.exec_module = exec_module
        except (AttributeError, TypeError):
            # A loader of a built-in or frozen module: a class, or without a namespace. None of ours is one.
            self._watched.discard(name)
