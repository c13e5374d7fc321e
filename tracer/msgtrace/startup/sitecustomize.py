"""First on a traced program's PYTHONPATH: starts recording, then lets the program's own sitecustomize run.

Read by whatever interpreter the program starts, of any version: no syntax here that an old one would not understand,
and no module that a young one would have to load.
"""
# ruff: noqa: ANN001, ANN202, PTH100, PTH118, PTH120, PTH123, UP024, UP031, UP036, RUF005 - as just said

import os
import sys


def _note(text):
    # type: (str) -> None
    """Tell `msgtrace run` that this process is not recorded; it shows the note when the program has ended."""
    spool = os.environ.get("MSGTRACE_SPOOL")
    if spool:
        try:
            with open(os.path.join(spool, "note-%d" % os.getpid()), "w") as file:
                file.write(text)
        except (IOError, OSError):
            pass


def _start(here):
    # type: (str) -> None
    if not os.environ.get("MSGTRACE_SPOOL"):
        return
    if sys.version_info < (3, 11):
        _note("%s is Python %d.%d; msgtrace records 3.11 and later" % ((sys.executable,) + sys.version_info[:2]))
        return
    try:
        sys.path.insert(0, here)
        try:
            from msgtrace_begin import begin  # type: ignore[import-not-found]  # noqa: PLC0415 - it lies beside this file
        finally:
            sys.path.remove(here)
            sys.modules.pop("msgtrace_begin", None)
        begin(_note)
    except Exception as error:  # noqa: BLE001 - the program runs all the same
        _note("%s: %s: %s" % (sys.executable, type(error).__name__, error))


def _chain(here):
    # type: (str) -> None
    """Import the sitecustomize that the program would have had, and leave nothing of ours where it could be found.

    What comes of it is what `site` would have seen without us, whatever it is: the import system takes the module that
    stands in `sys.modules` when ours has run, and if there is no other, `site` passes over our ImportError as it would
    over its own.
    """
    sys.path[:] = [p for p in sys.path if p != here]
    sys.path_importer_cache.pop(here, None)
    sys.modules.pop("sitecustomize", None)
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401, PLC0415 - if there is one


_here = os.path.dirname(os.path.abspath(__file__))
_start(_here)
_chain(_here)
