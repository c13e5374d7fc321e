"""Personal data and secrets in messages, by field: how many messages of how many. A sample of each event type is searched."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Evidence, Exposure
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.passes.personal import by_content, kinds_of, leaves, read
from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgtrace_analysis.findings.security import Personal, Where
    from msgtrace_analysis.study import Study

SEARCHED: Final = 500
"""Messages of each event type, at most."""
TOGETHER: Final = 50_000
"""Messages of all event types, where there are so many types that fewer of each are searched..."""
LEAST: Final = 100
"""... but no fewer than these."""
PAGE: Final = 5_000

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


def exposures(study: Study) -> tuple[tuple[Exposure, ...], int, int]:
    """Search; what was found, how many messages' bodies were searched, and how many could not be.

    Needs the tables of `naming`.
    """
    search = Search()
    ((types,),) = study.rows(TYPES)
    rows = study.rows(SAMPLE, [min(SEARCHED, max(LEAST, TOGETHER // max(types, 1)))])
    about = {row[0]: (row[0], row[5], *row[1:5]) for row in rows}
    for operation, *_, headers, routing_key, channel, message_id, correlation_id, _ in rows:
        if headers and headers != "{}":
            values = leaves(read(headers))
            search.look(about[operation], "header", ((pointer[1:], name, value) for pointer, name, value in values))
        for where, value in _named(routing_key, channel, message_id, correlation_id):
            search.look(about[operation], where, [("", "", value)])
    operations = [row[0] for row in rows]
    for start in range(0, len(operations), PAGE):
        for operation, key in study.some_keys(operations[start : start + PAGE]):
            search.look(about[operation], "key", [("", "", key)])
    readable = [row[0] for row in rows if row[-1]]
    for start in range(0, len(readable), PAGE):
        for operation, text in study.some_bodies(readable[start : start + PAGE]):
            search.look(about[operation], "body", leaves(read(text)))
    return (*_exposures(search), *_errors(study)), len(readable), len(rows) - len(readable)


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
