"""Tools that tests use besides brokers, from Debian's packages: where they are, and what is missing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tool:
    """A program or a library.

    Attributes:
        package: Debian's.
        program: its name, where it is one.
        pattern: below /usr/lib, where it is a library.
    """

    package: str
    program: str = ""
    pattern: str = ""


TOOLS = {
    "promtool": Tool("prometheus", program="promtool"),
    "libfaketime": Tool("libfaketime", pattern="*/faketime/libfaketime.so.1"),
}


def find(name: str) -> Path | None:
    """Where a tool is; None where it is not."""
    tool = TOOLS[name]
    if tool.program:
        found = shutil.which(tool.program)
        return None if found is None else Path(found)
    return next(iter(sorted(Path("/usr/lib").glob(tool.pattern))), None)


def missing(name: str) -> str | None:
    """What keeps a tool from being used; None when nothing does."""
    return None if find(name) else f"Debian's package {TOOLS[name].package} is not installed"
