"""Which version of a library is installed, and whether it is one that a hook knows. Without the packaging machinery.

`importlib.metadata` costs a traced process thirty milliseconds at start; a library's own `__version__` or the name of
its `.dist-info` folder says the same.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgtrace.hook import Hook

_CLAUSE = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*([0-9][0-9.]*)\s*")


def distribution_version(hook: Hook) -> str:
    """The version of a hook's library as installed, or ''."""
    module = sys.modules.get(hook.library)
    if module is None:
        return ""
    version = vars(module).get("__version__")
    if type(version) is str:
        return version
    spec = getattr(module, "__spec__", None)
    if spec is None:
        return ""  # kombu, for one, puts another object into its place
    places = spec.submodule_search_locations or [spec.origin or ""]
    wanted = re.sub(r"[-_.]+", "_", hook.distribution).lower()
    for place in places:
        folder = os.path.dirname(place)  # noqa: PTH120 - pathlib may not be imported yet, and this runs at start
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 - as above
        except OSError:
            continue
        for name in names:
            stem, _, suffix = name.rpartition(".")
            library, _, found = stem.rpartition("-")
            if suffix == "dist-info" and re.sub(r"[-_.]+", "_", library).lower() == wanted:
                return found
    return ""


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version's release segment: '3.0.12rc1' -> (3, 0, 12)."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def satisfies(version: str, clauses: str) -> bool:
    """Whether a version lies in all of some comma-separated ranges (`>=9,<11`); missing numbers count as 0.

    Raises:
        ValueError: a clause is not of that form.
    """
    have = release(version)
    for clause in clauses.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise ValueError(f"not a version range: {clause!r}")
        want = release(match[2])
        width = max(len(have), len(want))
        left, right = have + (0,) * (width - len(have)), want + (0,) * (width - len(want))
        verdict = {
            ">=": left >= right,
            "<=": left <= right,
            "==": left == right,
            "!=": left != right,
            ">": left > right,
            "<": left < right,
        }[match[1]]
        if not verdict:
            return False
    return True
