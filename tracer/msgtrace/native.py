"""Whether the recorder's hot path runs in C here, and why not where it doesn't. What it does, `_native.c` and `compiled/*.c` say.

The Python that it stands for is complete by itself, and is what runs on interpreters that no compiled part was built for,
on those without a global lock, and with MSGTRACE_NATIVE=0.
"""

from __future__ import annotations

import os
import sys
import zlib
from typing import Any, Final

from msgtrace.segment import CHECKED_BYTES, END_WORD, HEADER_BYTES, VERSION

MAX_FAILURES: Final = 10
"""Failures after which a point records nothing any more."""
MAX_FRAMES: Final = 40
"""Frames that are looked through for the program's own."""
MAX_DEPTH: Final = 16
"""Of containers in an in-process event's arguments; what is nested deeper is cut."""
LAYOUT: Final = (VERSION, HEADER_BYTES, END_WORD, CHECKED_BYTES, MAX_FAILURES, MAX_FRAMES, MAX_DEPTH)
"""What the compiled part was built for."""


def _checksum() -> int | None:
    """Of the C source as it lies beside this file; None where it is not there, and nothing can be newer than what was built."""
    folder = os.path.dirname(__file__)  # noqa: PTH120 - pathlib may not be loaded yet
    try:
        parts = [f"compiled/{name}" for name in sorted(os.listdir(f"{folder}/compiled")) if name.endswith(".c")]  # noqa: PTH208 - as above
        checksum = 0
        for name in ("_native.c", *parts):
            with open(f"{folder}/{name}", "rb") as source:  # noqa: PTH123 - as above
                checksum = zlib.crc32(source.read(), checksum)
    except OSError:
        return None
    return checksum


def _found() -> tuple[Any, str]:
    if os.environ.get("MSGTRACE_NATIVE") == "0":
        return None, "switched off by MSGTRACE_NATIVE=0"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None, "this interpreter has no global lock"
    try:
        from msgtrace import _native as found  # noqa: PLC0415 - it may not be there
    except ImportError as error:
        return None, f"not built for this interpreter ({error})"
    source = _checksum()
    if getattr(found, "LAYOUT", None) != LAYOUT or (source is not None and getattr(found, "SOURCE", None) != source):
        return None, "built from the source of another version of msgtrace; install msgtrace again"
    return found, ""


_module, _reason = _found()
native: Final[Any] = _module
"""The compiled module, or None."""
reason: Final[str] = _reason
"""Why there is none, for `msgtrace doctor`."""
