"""The program's own functions that handle messages, as they were when they did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that handled messages.

    Attributes:
        site: `path:line`, as in a `Place`.
        name: qualified.
        doc: its docstring; '' without one.
        source: its lines when it was recorded; '' where they were not kept.
        commit: of its repository then; '' where not known.
        line: the first, and `end_line` the last one of its source.
    """

    service: str
    site: str
    name: str
    module: str
    doc: str
    source: str
    commit: str
    line: int
    end_line: int
