"""Finds msgtrace for an interpreter that may not have it, and starts it.

An interpreter of the same kind and minor version is lent ours: msgtrace and the few packages it needs, nothing else of
the environment that we run in, and those to us alone. What the program can import stays as it was: a library that
looks whether `msgspec` is there must find what it would find without us.
"""
# ruff: noqa: PTH100, PTH112, PTH118, PTH120 - no pathlib: it would be loaded in every interpreter

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as typing has it, which is not imported here
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

LENT = ("msgspec", "wrapt")


class Lender:
    """The last entry of `sys.meta_path`: finds what the program's own environment does not have, for us.

    Args:
        folders: where the packages are.
    """

    def __init__(self, folders: list[str]) -> None:
        self._folders = folders
        self._kept: dict[str, ModuleType] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """See `importlib.abc.MetaPathFinder.find_spec`."""
        top = name.partition(".")[0]
        if top == "msgtrace":
            return None if path is not None else self._found(name, None, target)
        if top not in LENT or not _asked_by_us():
            return None
        if name in self._kept:
            from importlib.machinery import ModuleSpec  # noqa: PLC0415 - rare

            sys.modules.update({each: module for each, module in self._kept.items() if each != name})
            return ModuleSpec(name, Again(self._kept[name]))  # type: ignore[arg-type]  # a loader by its methods
        return self._found(name, path, target) if path is None else None

    def _found(self, name: str, path: Any, target: Any) -> Any:
        from importlib.machinery import PathFinder  # noqa: PLC0415 - loaded in every interpreter, bound on use

        return PathFinder.find_spec(name, path or self._folders, target)

    def conceal(self) -> None:
        """Take the lent packages out of `sys.modules`: we hold what we need of them, the program never had them."""
        for name in [n for n in sys.modules if n.partition(".")[0] in LENT]:
            self._kept[name] = sys.modules.pop(name)


class Again:
    """A loader that has loaded already: executed twice, an extension module would be two.

    Args:
        module: what was loaded.
    """

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def create_module(self, _spec: Any) -> ModuleType:
        """The module of the first time."""
        return self._module

    def exec_module(self, _module: ModuleType) -> None:
        """Nothing: it has been executed."""


def _asked_by_us() -> bool:
    """Whether the import that is going on is one of ours, or of a lent package's."""
    frame = sys._getframe(2)  # noqa: SLF001 - the documented way to a frame without a traceback
    while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
    name = frame.f_globals.get("__name__") if frame is not None else None
    return type(name) is str and name.partition(".")[0] in {"msgtrace", *LENT}


class NotLent(Exception):  # noqa: N818 - reads as what it is
    """This interpreter has no msgtrace and can't be lent ours; the text is for the user."""


def found(tag: str, folders: list[str]) -> Lender | None:
    """Make sure that msgtrace can be imported here.

    Args:
        tag: what kind of interpreter the packages are for.
        folders: where the packages are that this one may be lent.

    Returns:
        what lends them, on `sys.meta_path` from now on; None where the interpreter has them itself.

    Raises:
        NotLent: it can't be.
    """
    try:
        import msgtrace  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        if error.name != "msgtrace":
            raise
    else:
        return None
    own = f"{sys.implementation.cache_tag}{sys.abiflags}"
    if tag != own:
        raise NotLent(
            f"{sys.executable} is {own} and has no msgtrace, which runs as {tag} here; "
            f"install it there: {sys.executable} -m pip install msgtrace"
        )
    lender = Lender(folders)
    sys.meta_path.append(lender)
    return lender


def begin(note: Callable[[str], None]) -> None:
    """Start recording.

    Args:
        note: says why this process can't be recorded.
    """
    tag = os.environ.get("MSGTRACE_TAG", "")
    folders = [p for p in os.environ.get("MSGTRACE_LEND", "").split(os.pathsep) if p]
    # Beside this folder, where an init container has put what each kind of interpreter may be lent (docs/staging.md).
    own = f"{sys.implementation.cache_tag}{sys.abiflags}"
    beside = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), own)
    if os.path.isdir(os.path.join(beside, "msgtrace")):
        tag, folders = own, [beside]
    try:
        lender = found(tag, folders)
    except NotLent as error:
        note(str(error))
        return
    from msgtrace.start import start  # noqa: PLC0415

    start(None if lender is None else lender.conceal)
