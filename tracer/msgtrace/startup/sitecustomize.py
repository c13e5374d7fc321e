"""First on a traced program's PYTHONPATH: starts recording, then lets the program's own sitecustomize run.

Read by whatever interpreter the program starts, of any version: no syntax here that an old one would not understand.
"""

import os
import sys


def _chain(here):  # type: ignore[no-untyped-def]  # annotations are syntax that old interpreters lack
    """Take our folder off sys.path and import the sitecustomize that the program would have had."""
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or os.curdir) != here]
    sys.path_importer_cache.pop(here, None)
    ours = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401, PLC0415
    except ImportError as error:
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise
    finally:
        # The import system wants to find what it is importing.
        sys.modules.setdefault("sitecustomize", ours)


def _note(text):  # type: ignore[no-untyped-def]
    """Tell `msgtrace run` that this process is not recorded; it shows the note when the program has ended."""
    spool = os.environ.get("MSGTRACE_SPOOL")
    if spool:
        try:
            with open(os.path.join(spool, "note-%d" % os.getpid()), "w") as file:  # noqa: PTH118, PTH123, UP031
                file.write(text)
        except (IOError, OSError):  # noqa: UP024
            pass


def _start(here):  # type: ignore[no-untyped-def]
    if not os.environ.get("MSGTRACE_SPOOL"):
        return
    if sys.version_info < (3, 11):
        _note("%s is Python %d.%d; msgtrace records 3.11 and later" % ((sys.executable,) + sys.version_info[:2]))  # noqa: UP031
        return
    try:
        sys.path.insert(0, here)
        try:
            from msgtrace_begin import begin  # noqa: PLC0415
        finally:
            sys.path.remove(here)
        begin(_note)
    except Exception as error:  # noqa: BLE001 - the program runs all the same
        _note("%s: %s: %s" % (sys.executable, type(error).__name__, error))  # noqa: UP031


_here = os.path.dirname(os.path.abspath(__file__))
_start(_here)
_chain(_here)
