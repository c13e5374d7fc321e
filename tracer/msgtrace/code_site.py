"""Where in the program's own code a call came from, as an interned number.

The line of a frame costs a microsecond to compute, its instruction offset nothing: a place is looked up by code object
and offset, and named once.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from msgtrace.native import MAX_FRAMES
from msgtrace.records import SITES

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from msgtrace.recorder import Recorder

MAX_CODES: Final = 20_000
"""Code objects are kept alive by being known; a program that generates code without end starts us anew."""

_LOOPS: Final = (
    ("/asyncio/events.py", "_run"),
    ("/asyncio/base_events.py", "run_forever"),
    ("/asyncio/runners.py", "run"),
    ("/trio/_core/_run.py", "unrolled_run"),
)
"""Functions in which an event loop runs what was scheduled elsewhere, by end of path and name.

What called them is where the program started its loop, never where a message came from.
"""
_OURS: Final = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120 - pathlib is not imported at start


def _foreign_prefixes() -> tuple[str, ...]:
    """Where code is that is not the program's. Without `sysconfig`, which reads a file of its own to say the same."""
    own = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library = {os.path.dirname(os.__file__)}  # noqa: PTH120 - as above
    library |= {f"{prefix}/{sys.platlibdir}/{own}" for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    library |= {os.path.realpath(p) for p in library}
    return (_OURS, "<frozen ", *(p.rstrip(os.sep) + os.sep for p in library))


class CodeSites:
    """Finds the innermost frame of the program's own code.

    Attributes:
        places: (identity of a code object, instruction offset) -> the place's number. Callers look here first.
    """

    __slots__ = ("_foreign", "_own", "_recorder", "places")

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        # By identity: hashing a code object hashes all it consists of. Holding it keeps its identity from being reused.
        self._own: dict[int, tuple[CodeType, bool | None]] = {}
        self.places: dict[tuple[int, int], int] = {}
        self._foreign = _foreign_prefixes()
        recorder.on_adopt.append(self.places.clear)
        if recorder.pen is not None:
            recorder.pen.find_with(self.find, self._own)

    def find(self, frame: FrameType | None) -> int:
        """The number of the nearest place in the program's own code, from a frame outwards; 0 if all are library code."""
        own = self._own
        for _ in range(MAX_FRAMES):
            if frame is None:
                return 0
            code = frame.f_code
            known = own.get(id(code))
            own_code = known[1] if known is not None else self._judge(code)
            if own_code is None:
                return 0
            if own_code:
                number = self.places.get((id(code), frame.f_lasti))
                if number is not None:
                    return number
                number = self._recorder.number(SITES, (code.co_filename, frame.f_lineno or 0, code.co_qualname))
                if number:
                    self.places[id(code), frame.f_lasti] = number
                return number
            frame = frame.f_back
        return 0

    def _judge(self, code: CodeType) -> bool | None:
        """Whether code is the program's own: neither the standard library's, nor an installed package's, nor ours.

        None for an event loop's own, where looking further is pointless.
        """
        path = code.co_filename
        foreign = path.startswith(self._foreign) or "/site-packages/" in path or "/dist-packages/" in path
        mine: bool | None = not foreign
        if foreign and any(path.endswith(end) and code.co_name == name for end, name in _LOOPS):
            mine = None
        if len(self._own) >= MAX_CODES:
            # Places first: one must not outlive the code object whose identity it is known by.
            self.places.clear()
            self._own.clear()
            if self._recorder.pen is not None:
                self._recorder.pen.forget_code()
        self._own[id(code)] = (code, mine)
        return mine
