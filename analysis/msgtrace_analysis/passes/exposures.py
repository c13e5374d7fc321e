"""Personal data and secrets in messages, by field: how many messages of how many. A sample of each event type is searched."""

from __future__ import annotations

from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from msgtrace_analysis.findings import Evidence, Exposure
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.passes.personal import by_content, kinds_of, leaves, read
from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from msgtrace_analysis.findings.security import Personal, Where
    from msgtrace_analysis.study import Study

    About = dict[int, tuple[Any, ...]]
    Look = Callable[["Search", Sequence[tuple[Any, ...]], About], None]

SEARCHED: Final = 500
"""Messages of each event type, at most."""
TOGETHER: Final = 50_000
"""Messages of all event types, where there are so many types that fewer of each are searched..."""
LEAST: Final = 100
"""... but no fewer than these."""
PAGE: Final = 5_000
WAITING: Final = 64_000_000
"""Characters of pages that wait to be searched, at most."""

# One row per message that is searched: the first of each event type. A receive that was linked repeats its send.
SAMPLE: Final = """
    select
        m.operation_id, m.system, m.address_kind, m.address, m.name, o.observed_ns, o.headers, o.routing_key,
        o.channel,
        o.message_id, o.correlation_id, o.readable
    from messages as m
    inner join operations as o using (operation_id)
    where m.side = 'send' or m.send_id is null
    qualify row_number() over (partition by m.system, m.address_kind, m.address, m.name order by m.operation_id) <= $1
    order by m.operation_id
"""

TYPES: Final = "select count(*) from (select distinct system, address_kind, address, name from messages)"

# One row per operation that failed and says why.
ERRORS: Final = """
    select operation_id, observed_ns, coalesce(system, ''), coalesce(channel, ''), error_message
    from operations
    where error_message is not null
    order by operation_id
    limit 20000
"""


@dataclass(slots=True)
class Found:
    """Messages with such a value in one place."""

    operations: list[int] = field(default_factory=list)
    first_ns: int = 0
    last_ns: int = 0

    def add(self, operation: int, at_ns: int) -> None:
        """Count a message, once."""
        if self.operations and self.operations[-1] == operation:
            return
        if not self.operations:
            self.first_ns = at_ns
        self.operations.append(operation)
        self.last_ns = at_ns

    @property
    def evidence(self) -> Evidence:
        """The messages."""
        return Evidence(len(self.operations), tuple(self.operations[:5]), self.first_ns, self.last_ns, "exact")


@dataclass(slots=True)
class Counted:
    """Messages that have a field."""

    messages: int = 0
    last: int = -1

    def add(self, operation: int) -> None:
        """Count a message, once."""
        if self.last != operation:
            self.messages += 1
            self.last = operation


@dataclass(slots=True)
class Search:
    """What was found so far, by event type and part of the message, then by field, kind, and what tells."""

    found: defaultdict[tuple[Any, ...], defaultdict[tuple[str, Personal, bool], Found]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Found))
    )
    fields: defaultdict[tuple[Any, ...], defaultdict[str, Counted]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counted))
    )

    def look(self, about: tuple[Any, ...], where: Where, values: Iterable[tuple[str, str, Any]]) -> None:
        """Search the values of one part of one message, given as (field, its name, value)."""
        operation, at_ns, *event = about
        fields, found = self.fields[*event, where], self.found[*event, where]
        for place, name, value in values:
            fields[place].add(operation)
            for kind, told in kinds_of(name, value):
                found[place, kind, told].add(operation, at_ns)


class Searching:
    """A search that goes on in a thread: it is Python's work, while the passes meanwhile wait for DuckDB. A context manager.

    What is to be searched is read at once, by the thread that asks, for a study answers one at a time. Leaving it for an
    error ends the search after the page that it is at.

    Args:
        study: with the tables of `naming`.

    Raises:
        TraceError: the trace went away.
    """

    def __init__(self, study: Study) -> None:
        self._study, self._search = study, Search()
        self._pool = ThreadPoolExecutor(1, "personal data")
        self._pages: deque[tuple[int, Future[None]]] = deque()
        self._searched = self._unsearched = 0

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self._end(now=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end(now=kind is not None)

    def _begin(self) -> None:
        ((types,),) = self._study.rows(TYPES)
        rows = self._study.rows(SAMPLE, [min(SEARCHED, max(LEAST, TOGETHER // max(types, 1)))])
        about = {row[0]: (row[0], row[5], *row[1:5]) for row in rows}
        self._give(_look_around, rows, about, size=0)
        operations = [row[0] for row in rows]
        for start in range(0, len(operations), PAGE):
            keys = self._study.some_keys(operations[start : start + PAGE])
            self._give(_look_at_keys, keys, about, size=sum(len(key) for _, key in keys))
        readable = [row[0] for row in rows if row[-1]]
        for start in range(0, len(readable), PAGE):
            bodies = self._study.some_bodies(readable[start : start + PAGE])
            self._give(_look_into, bodies, about, size=sum(len(text) for _, text in bodies))
        self._searched, self._unsearched = len(readable), len(rows) - len(readable)

    def _give(self, look: Look, rows: Sequence[tuple[Any, ...]], about: About, *, size: int) -> None:
        """Have a page searched; wait where too much waits already."""
        while self._pages and sum(waiting for waiting, _ in self._pages) + size > WAITING:
            self._pages.popleft()[1].result()
        self._pages.append((size, self._pool.submit(look, self._search, rows, about)))

    def _end(self, *, now: bool) -> None:
        self._pool.shutdown(wait=now, cancel_futures=now)

    def found(self) -> tuple[tuple[Exposure, ...], int, int]:
        """What was found, how many messages' bodies were searched, and how many could not be."""
        while self._pages:
            self._pages.popleft()[1].result()
        return (*_exposures(self._search), *_errors(self._study)), self._searched, self._unsearched


def exposures(study: Study) -> tuple[Exposure, ...]:
    """What was found. Needs the tables of `naming`."""
    with Searching(study) as searching:
        found, _, _ = searching.found()
    return found


def _look_around(search: Search, rows: Sequence[tuple[Any, ...]], about: About) -> None:
    """Search what messages have beside their bodies and keys."""
    for operation, *_, headers, routing_key, channel, message_id, correlation_id, _ in rows:
        if headers and headers != "{}":
            values = leaves(read(headers))
            search.look(about[operation], "header", ((pointer[1:], name, value) for pointer, name, value in values))
        for where, value in _named(routing_key, channel, message_id, correlation_id):
            search.look(about[operation], where, [("", "", value)])


def _look_at_keys(search: Search, rows: Sequence[tuple[Any, ...]], about: About) -> None:
    for operation, key in rows:
        search.look(about[operation], "key", [("", "", key)])


def _look_into(search: Search, rows: Sequence[tuple[Any, ...]], about: About) -> None:
    for operation, text in rows:
        search.look(about[operation], "body", leaves(read(text)))


def _named(
    routing_key: str | None, channel: str | None, message_id: str | None, correlation_id: str | None
) -> Iterator[tuple[Where, str]]:
    given: tuple[tuple[Where, str | None], ...] = (
        ("routing key", routing_key), ("channel", channel), ("message id", message_id),
        ("message id", correlation_id),
    )  # fmt: skip
    for where, value in given:
        if value:
            yield where, value


def _exposures(search: Search) -> Iterator[Exposure]:
    keys = {(*part, *key): found for part, of_part in search.found.items() for key, found in of_part.items()}
    for key, found in sorted(keys.items(), key=lambda item: tuple(map(str, item[0]))):
        system, kind, address, name, where, place, personal, told = key
        yield Exposure(
            event=ref(system, kind, address, name), name=without_persons(name), system=system or "",
            channel=without_persons(address), where=where, field=place, kind=personal, messages=len(found.operations),
            of=search.fields[system, kind, address, name, where][place].messages,
            by="content" if told else "name", personal_name="[email]" in place or "[phone]" in place or "[iban]" in place,
            evidence=found.evidence,
        )  # fmt: skip


def _errors(study: Study) -> Iterator[Exposure]:
    """Personal data and secrets in texts of errors."""
    found: defaultdict[tuple[str, str, Personal], Found] = defaultdict(Found)
    many: defaultdict[tuple[str, str], int] = defaultdict(int)
    for operation, at_ns, system, channel, message in study.rows(ERRORS):
        many[system, channel] += 1
        for kind in by_content(message):
            found[system, channel, kind].add(operation, at_ns)
    for (system, channel, kind), each in sorted(found.items()):
        yield Exposure(
            event="", name="", system=system, channel=without_persons(channel), where="error", field="", kind=kind,
            messages=len(each.operations), of=many[system, channel], by="content", personal_name=False, evidence=each.evidence,
        )  # fmt: skip
