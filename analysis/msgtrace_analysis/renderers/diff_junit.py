"""Writes how two runs differ as JUnit's XML, for the pages of a CI server: a test case for each thing that was compared."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from msgtrace_analysis.renderers.diff_rows import change
from msgtrace_analysis.renderers.markdown import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgtrace_analysis.findings.differences import Aspect, Comparison, Delta

SUITES: Final[dict[Aspect, Aspect]] = {
    "field": "event",
    "version": "event",
    "publisher": "event",
    "subscriber": "event",
    "rate": "event",
    "step": "flow",
    "latency": "flow",
}
"""What a difference is told under, where that is not itself."""
NAMES: Final = {"event": "event types", "flow": "flows", "retry policy": "retry policies"}
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can't hold, not even escaped: https://www.w3.org/TR/xml/#charsets."""


def junit(found: Comparison, fails: Callable[[Delta], bool]) -> str:
    """The whole document, ending in a newline.

    Args:
        found: the comparison.
        fails: whether a difference is a failure.
    """
    of: dict[tuple[Aspect, str, str], list[Delta]] = defaultdict(list)
    for each in found.deltas:
        of[SUITES.get(each.aspect, each.aspect), each.subject, each.where].append(each)
    document = JUnitXml("msgtrace diff")
    for aspect, name in NAMES.items():
        suite = TestSuite(name)
        for key in sorted({*found.compared, *of}):
            if key[0] == aspect:
                suite.add_testcase(_case(key[1], key[2], of.get(key, []), fails))
        if len(suite):
            document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    written: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return written.decode().rstrip("\n") + "\n"


def _case(subject: str, where: str, deltas: Sequence[Delta], fails: Callable[[Delta], bool]) -> TestCase:
    case = TestCase(_text(subject), classname=_text(where))
    case.result = [Failure(_text(_line(each)), type_=_text(each.how)) for each in deltas if fails(each)]
    others = [_text(_line(each), 2_000) for each in deltas if not fails(each)]
    if others:
        case.system_out = "\n".join(others)
    return case


def _line(each: Delta) -> str:
    part = f" {each.part}" if each.part else ""
    step = f": {each.base or 'nothing'} -> {each.head or 'nothing'}"
    why = f"; {each.breaking}" if each.breaking else ""
    return f"{each.aspect}{part} {change(each)}{step}{why}"


def _text(value: str, limit: int = 500) -> str:
    return _NO_XML.sub("\ufffd", visible(value, limit))
