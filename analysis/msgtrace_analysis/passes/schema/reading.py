"""Reads bodies into summaries: pages of them, in other processes when there are many. Knows no database.

What a process makes of its pages merges to the same, however they are divided.
"""

from __future__ import annotations

import functools
import gc
import json
import multiprocessing
import os
from collections import deque
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace_analysis.passes.schema.said_versions import MAX_VERSIONS, preferred, versions_said
from msgtrace_analysis.passes.schema.shapes import Shape
from msgtrace_analysis.passes.schema.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Said = tuple[str, str]
"""What says a version (`header schema-version`, `field version`), and the version."""
Row = tuple[str, int, "str | memoryview", bool, "Said | None"]
"""Event type, order, JSON text, whether `$type` and `$cut` in it are marks of ours, and the version that a header says."""
Page = Collection[Row]
ONE: Final = ""
"""The version of a body that says none."""
MANY_BODIES: Final = 60_000
"""From so many on, other processes help: they take a third of a second to start."""
MAX_PROCESSES: Final = 8
decode: Final = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Packed:
    """A page as it came from a database: columns that are sent to another process as they are, in four pieces.

    Attributes:
        events: names of event types.
        numbers: of each row, the place of its event type among them: 32 bits.
        orders: 64 bits.
        marked: 8 bits.
        ends: where each text ends in `texts`, after a zero where the first begins: 32 bits.
        texts: UTF-8.
        saids: what headers of rows say of their version; the first is None.
        said: of each row, the place among them: 32 bits.
    """

    events: tuple[str, ...]
    numbers: bytes
    orders: bytes
    marked: bytes
    ends: bytes
    texts: bytes
    saids: tuple[Said | None, ...]
    said: bytes

    def __len__(self) -> int:
        """How many rows."""
        return len(self.marked)

    def __iter__(self) -> Iterator[Row]:
        """The rows; a text is a piece of `texts`."""
        texts, ends = memoryview(self.texts), memoryview(self.ends).cast("i")
        begin = ends[0] if len(ends) else 0
        for number, order, marked, said, end in zip(
            memoryview(self.numbers).cast("i"), memoryview(self.orders).cast("q"), self.marked,
            memoryview(self.said).cast("i"), ends[1:], strict=True,
        ):  # fmt: skip
            yield self.events[number], order, texts[begin:end], bool(marked), self.saids[said]
            begin = end

    def __contains__(self, row: object) -> bool:
        """Whether a row is on the page."""
        return any(each == row for each in self)


@dataclass(slots=True)
class Summary:
    """What is known of an event type's bodies. Merging is associative and commutative.

    Attributes:
        shapes: by what the bodies, or headers beside them, say of their version.
        said: what said it.
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


def read(pages: Iterable[Page], summarise: Callable[[Page], Summaries], bodies: int) -> Summaries:
    """The summaries of all pages.

    Args:
        pages: read one after the other, a few ahead.
        summarise: a function that can be sent to another process.
        bodies: how many there are, about.
    """
    found: Summaries = {}
    if bodies >= MANY_BODIES and _processes() > 1:
        _read_together(iter(pages), summarise, found)
        return found
    for page in pages:
        _merge(found, summarise(page))
    return found


def _read_together(pages: Iterator[Page], summarise: Callable[[Page], Summaries], found: Summaries) -> None:
    """The pages, by as many processes as there are processors."""
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
    # What is decoded has no circles, and looking for some in it takes longer the more there is.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _by_columns(page, moments)
    finally:
        if collecting:
            gc.enable()


def _by_columns(page: Page, moments: Mapping[str, list[int]] | None) -> Summaries:
    found: Summaries = {}
    columns: dict[tuple[str, bool, Said | None], tuple[list[str | memoryview], list[int]]] = {}
    for event, order, text, marked, beside in page:
        texts, orders = columns.setdefault((event, marked, beside), ([], []))
        texts.append(text)
        orders.append(order)
    for (event, marked, beside), (texts, orders) in columns.items():
        summary = found.setdefault(event, Summary())
        bodies, of_bodies = _decoded_all(texts, orders, summary)
        if moments is None:
            divided = _by_said(bodies, of_bodies, beside, summary)
        else:
            divided = _divided([str(sum(each > moment for moment in moments[event])) for each in of_bodies])
        for version, places in divided.items():
            whole = len(places) == len(bodies)
            summary.shapes.setdefault(version, Shape()).add(
                bodies if whole else [bodies[place] for place in places],
                of_bodies if whole else [of_bodies[place] for place in places],
                marked=marked,
            )
            summary.limit()
    return found


def _by_said(bodies: list[Any], orders: list[int], beside: Said | None, summary: Summary) -> dict[str, list[int]]:
    """The places of bodies by the version that they, or a header beside them, say."""
    saids = [preferred(beside, field) for field in versions_said(bodies)]
    summary.said |= {said[0] for said in set(saids) if said is not None}
    silent = [place for place, said in enumerate(saids) if said is None and type(bodies[place]) is dict]
    summary.timeline.add_all([orders[place] for place in silent], [bodies[place] for place in silent])
    return _divided([ONE if said is None else said[1] for said in saids])


def _divided(versions: list[str]) -> dict[str, list[int]]:
    """The places of each version."""
    different = set(versions)
    if len(different) == 1:
        return {different.pop(): list(range(len(versions)))}
    places: dict[str, list[int]] = {each: [] for each in versions}
    for place, version in enumerate(versions):
        places[version].append(place)
    return places


_UNREADABLE: Final = object()


def _decoded_all(texts: Sequence[str | memoryview], orders: list[int], summary: Summary) -> tuple[list[Any], list[int]]:
    """The bodies that can be read, and their orders."""
    try:
        return list(map(decode, texts)), orders
    except (msgspec.DecodeError, RecursionError):
        pairs = [(_decoded(text, summary), order) for text, order in zip(texts, orders, strict=True)]
    read = [pair for pair in pairs if pair[0] is not _UNREADABLE]
    return [body for body, _ in read], [order for _, order in read]


def _decoded(text: str | memoryview, summary: Summary) -> Any:
    try:
        return decode(text)
    except (msgspec.DecodeError, RecursionError):
        try:
            # What msgspec refuses and Python reads: numbers beyond a double's range, halves of surrogate pairs.
            return json.loads(str(text, "utf-8") if isinstance(text, memoryview) else text, parse_constant=_refused)
        except (RecursionError, ValueError):
            # Nested too deep, or with a whole number of more digits than Python reads.
            summary.unread += 1
            return _UNREADABLE


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
