"""Called by `msgtrace.pth` and `msgtrace.start`, where the wheel is installed: reaches what PYTHONPATH doesn't.

Python 3.15 and later call what a .start file names in place of a .pth file's `import` lines: https://peps.python.org/829
"""

from __future__ import annotations

import os
import sys


def begin() -> None:
    """Start recording, if the environment says so. Never raises: the program runs all the same."""
    if not os.environ.get("MSGTRACE_SPOOL"):
        return
    try:
        from msgtrace.start import start  # noqa: PLC0415 - not before the check
    except Exception as error:  # noqa: BLE001 - as just said
        sys.stderr.write(f"msgtrace: {type(error).__name__}: {error}\n")
        return
    try:
        start()
    except Exception as error:  # noqa: BLE001 - as just said
        from msgtrace.start import note  # noqa: PLC0415 - as above

        note(f"{sys.executable}: {type(error).__name__}: {error}")
