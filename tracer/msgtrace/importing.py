"""Learns that the program has imported a library, without importing it, and without being seen at it.

A finder that finds nothing itself: for a module of interest it asks the others, and arranges to be told when the module
has been executed. The module's spec and loader stay the ones that it would have had.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as typing has it, which is not imported here
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


class ImportWatch:
    """An entry for the front of `sys.meta_path`.

    Args:
        before: called with the name of a watched top module when it is about to be executed, not when the program only
            asks whether it is there; returns names of modules to watch for.
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

    def watch(self, names: Iterable[str]) -> None:
        """Watch for more modules."""
        self._watched.update(names)

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder.find_spec`; None for everything that is not watched."""
        if name not in self._tops and name not in self._watched:
            return None
        spec = self._ask_others(name, path, target)
        loader = getattr(spec, "loader", None)
        if loader is not None and hasattr(loader, "exec_module"):
            self._arrange(name, loader)
        return spec

    def _ask_others(self, name: str, path: Any, target: ModuleType | None) -> ModuleSpec | None:
        """What the finders behind us find; those before us have been asked."""
        finders = list(sys.meta_path)
        position = finders.index(self) + 1 if self in finders else 0
        for finder in finders[position:]:
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
            try:
                del loader.exec_module
            except AttributeError:  # somebody took it away before us
                execute_now = execute
            else:
                execute_now = loader.exec_module
            self._begin(name)
            execute_now(module)
            if name in self._watched:
                self._watched.discard(name)
                self._after(name)

        try:
            loader.exec_module = exec_module
        except (AttributeError, TypeError):
            # A loader of a built-in or frozen module: a class, or without a namespace. Only a frozen program has such.
            self._begin(name)
            self._watched.discard(name)

    def _begin(self, name: str) -> None:
        if name in self._tops:
            self._tops.discard(name)
            self._watched.update(self._before(name))
