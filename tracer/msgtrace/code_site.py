"""Where in the program's own code a call came from, as an interned number.

The line of a frame costs a microsecond to compute, its instruction offset nothing: a place is looked up by code object
and offset, and named once.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import TYPE_CHECKING, Final

from msgtrace.records import SITES

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from msgtrace.recorder import Recorder

MAX_FRAMES: Final = 40
MAX_PLACES: Final = 20_000
"""Code objects are kept alive by being known; a program that generates code without end starts us anew."""

_OURS: Final = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120 - pathlib is not imported at start


def _foreign_prefixes() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    library = {paths["stdlib"], paths["platstdlib"], paths["purelib"], paths["platlib"]}
    library |= {os.path.realpath(p) for p in library} | {sys.base_prefix + "/lib/python"}
    return (_OURS, "<frozen ", *(p.rstrip(os.sep) + os.sep for p in library))


class CodeSites:
    """Finds the innermost frame of the program's own code."""

    __slots__ = ("_foreign", "_own", "_places", "_recorder")

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        # By identity: hashing a code object hashes all it consists of. Holding it keeps its identity from being reused.
        self._own: dict[int, tuple[CodeType, bool]] = {}
        self._places: dict[tuple[int, int], tuple[str, int, str]] = {}
        self._foreign = _foreign_prefixes()

    def here(self, depth: int) -> int:
        """The number of the nearest place in the program's code above the caller.

        Args:
            depth: frames to skip, 1 for the caller of the function that calls this.

        Returns:
            its number in `records.SITES`, 0 when the whole stack is library code.
        """
        frame: FrameType | None = sys._getframe(depth + 1)  # noqa: SLF001 - the documented way to a frame without a traceback
        own = self._own
        for _ in range(MAX_FRAMES):
            if frame is None:
                return 0
            code = frame.f_code
            known = own.get(id(code))
            if known[1] if known is not None else self._judge(code):
                place = self._places.get((id(code), frame.f_lasti))
                if place is None:
                    place = (code.co_filename, frame.f_lineno or 0, code.co_qualname)
                    self._places[id(code), frame.f_lasti] = place
                return self._recorder.number(SITES, place)
            frame = frame.f_back
        return 0

    def _judge(self, code: CodeType) -> bool:
        """Whether code is the program's own: neither the standard library's, nor an installed package's, nor ours."""
        path = code.co_filename
        mine = not path.startswith(self._foreign) and "/site-packages/" not in path and "/dist-packages/" not in path
        if len(self._own) >= MAX_PLACES:
            # Places first: one must not outlive the code object whose identity it is known by.
            self._places.clear()
            self._own.clear()
        self._own[id(code)] = (code, mine)
        return mine
