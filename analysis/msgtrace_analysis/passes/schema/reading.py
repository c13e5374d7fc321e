"""Reads bodies into summaries: pages of them, in other processes when there are many. Knows no database.

What a process makes of its pages merges to the same, however they are divided.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace_analysis.passes.schema.shapes import Shape
from msgtrace_analysis.passes.schema.timeline import Timeline, signature_of
from msgtrace_analysis.passes.schema.versions import MAX_VERSIONS, version_said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Page = list[tuple[str, int, str, bool]]
"""Event type, order, JSON text, and whether `$type` and `$cut` in it are marks of ours."""
ONE: Final = ""
"""The version of a body that says none."""
MANY_BODIES: Final = 60_000
"""From so many on, other processes help: they take a third of a second to start."""
MAX_PROCESSES: Final = 8
decode: Final = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Summary:
    """What is known of an event type's bodies. Merging is associative and commutative.

    Attributes:
        shapes: by what the bodies say of their version.
        said: fields that said it.
        unread: texts that are no JSON for Python.
        mixed: there were too many versions, or fields that said them; then all are one.
        timeline: of bodies that say nothing of a version.
    """

    shapes: dict[str, Shape] = field(default_factory=dict)
    said: frozenset[str] = frozenset()
    unread: int = 0
    mixed: bool = False
    timeline: Timeline = field(default_factory=Timeline)

    def merge(self, other: Summary) -> None:
        """Take another in; it must not be used afterwards."""
        for name, shape in other.shapes.items():
            mine = self.shapes.get(name)
            if mine is None:
                self.shapes[name] = shape
            else:
                mine.merge(shape)
        self.said |= other.said
        self.unread += other.unread
        self.mixed |= other.mixed
        self.timeline.merge(other.timeline)
        self.limit()

    def limit(self) -> None:
        """Take what has too many versions for one."""
        self.mixed |= len(self.shapes) > MAX_VERSIONS + 1 or len(self.said) > 1
        if self.mixed:
            whole = Shape()
            for shape in self.shapes.values():
                whole.merge(shape)
            self.shapes = {ONE: whole}


Summaries = dict[str, Summary]
Part = "Callable[[Any, str, int], str | None]"


def read(pages: Iterable[Page], summarise: Callable[[Page], Summaries]) -> Summaries:
    """The summaries of all pages.

    Args:
        pages: read one after the other, a few ahead.
        summarise: a function that can be sent to another process.
    """
    found: Summaries = {}
    waiting = iter(pages)
    seen = 0
    for page in waiting:
        _merge(found, summarise(page))
        seen += len(page)
        if seen >= MANY_BODIES and _processes() > 1:
            _read_together(waiting, summarise, found)
            break
    return found


def _read_together(pages: Iterator[Page], summarise: Callable[[Page], Summaries], found: Summaries) -> None:
    """The rest of the pages, by as many processes as there are processors."""
    # Spawned: this process has threads of a database, which do not survive a fork.
    with ProcessPoolExecutor(_processes(), mp_context=multiprocessing.get_context("spawn")) as pool:
        ahead: deque[Any] = deque()
        for page in pages:
            ahead.append(pool.submit(summarise, page))
            if len(ahead) > 2 * _processes():
                _merge(found, ahead.popleft().result())
        for each in ahead:
            _merge(found, each.result())


def _processes() -> int:
    return min(len(os.sched_getaffinity(0)), MAX_PROCESSES)


def _merge(found: Summaries, more: Summaries) -> None:
    for event, summary in more.items():
        known = found.get(event)
        if known is None:
            found[event] = summary
        else:
            known.merge(summary)


def summarised(page: Page) -> Summaries:
    """The summary of a page by event type and by what bodies say of their version."""
    return _summarised(page, None)


def by_moment(moments: Mapping[str, list[int]]) -> Callable[[Page], Summaries]:
    """A function that divides the bodies of event types at some moments."""
    return functools.partial(_summarised, moments=dict(moments))


def _summarised(page: Page, moments: Mapping[str, list[int]] | None) -> Summaries:
    found: Summaries = {}
    columns: dict[tuple[str, str, bool], tuple[list[Any], list[int]]] = {}
    for event, order, text, marked in page:
        summary = found.get(event)
        if summary is None:
            summary = found[event] = Summary()
        body = _decoded(text, summary)
        if body is _UNREADABLE:
            continue
        version = ONE
        if moments is not None:
            version = str(sum(order > moment for moment in moments[event]))
        else:
            said = version_said(body)
            if said is not None:
                summary.said |= {said[0]}
                version = said[1]
            elif type(body) is dict:
                summary.timeline.add(order, signature_of(body))
        column = columns.setdefault((event, version, marked), ([], []))
        column[0].append(body)
        column[1].append(order)
    for (event, version, marked), (bodies, orders) in columns.items():
        shape = found[event].shapes.setdefault(version, Shape())
        shape.add(bodies, orders, marked=marked)
        found[event].limit()
    return found


_UNREADABLE: Final = object()


def _decoded(text: str, summary: Summary) -> Any:
    try:
        return decode(text)
    except (msgspec.DecodeError, RecursionError):
        try:
            # What msgspec refuses and Python reads: numbers beyond a double's range, halves of surrogate pairs.
            return json.loads(text, parse_constant=_refused)
        except (RecursionError, ValueError):
            # Nested too deep, or with a whole number of more digits than Python reads.
            summary.unread += 1
            return _UNREADABLE


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
