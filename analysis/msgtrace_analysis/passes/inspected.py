"""What `msgtrace inspect` found: the last inspection of each broker, its channels, permissions, and what was left out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Evidence, Inspection, Permission

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from msgtrace_analysis.study import Study

# One row per inspection of a broker, the last one first. A broker that was reached by two addresses is one.
BROKERS: Final = """
    select system, coalesce(nullif(channel, ''), server) as broker, server, observed_ns, settings
    from inspected
    where channel_kind = 'broker'
    order by system, broker, observed_ns desc, server
"""

# One row per thing of the last inspection of each broker, but for the broker itself.
LATEST: Final = """
    create table latest as
    select i.*, coalesce(a.address, i.channel) as pattern, coalesce(i.settings ->> '$.action', '') as action
    from inspected as i
    inner join last_inspections as l
        on l.system = i.system and l.server = i.server and l.observed_ns = i.observed_ns
    left join addresses as a on a.system = i.system and a.kind = i.channel_kind and a.name = i.channel
    where i.channel_kind <> 'broker'
"""

# One row per thing that was inspected.
ROWS: Final = """
    select
        operation_id, system, server, virtual_host, channel_kind, channel, pattern, routing_key, consumer_group,
        consumer_tag, action, settings, observed_ns
    from latest
    order by operation_id
"""


@dataclass(frozen=True, slots=True)
class Thing:
    """One row of the last inspection of a broker."""

    operation_id: int
    system: str
    server: str
    virtual_host: str | None
    kind: str
    name: str
    pattern: str
    routing_key: str | None
    group: str | None
    tag: str | None
    action: str
    settings: dict[str, Any]
    observed_ns: int

    @property
    def state(self) -> dict[str, int]:
        """What was measured."""
        return {name: value for name, value in (self.settings.get("state") or {}).items() if type(value) is int}

    @property
    def evidence(self) -> Evidence:
        """The row itself."""
        return rests_on([self])


def rests_on(things: Iterable[Thing]) -> Evidence:
    """The evidence of rows that were inspected."""
    known = sorted(things, key=lambda each: each.operation_id)
    times = [each.observed_ns for each in known]
    ids = tuple(each.operation_id for each in known[:5])
    return Evidence(len(known), ids, min(times, default=None), max(times, default=None), "exact")


@dataclass(frozen=True, slots=True)
class Inspected:
    """The last inspections of all brokers.

    Attributes:
        whole: systems of which bindings, queues and consumers were read without leaving anything out.
    """

    inspections: tuple[Inspection, ...]
    things: tuple[Thing, ...]
    whole: frozenset[str]

    def of(self, *kinds: str, action: str = "inspect") -> Iterator[Thing]:
        """Rows of some kinds."""
        return (each for each in self.things if each.action == action and each.kind in kinds)


def inspected(study: Study) -> Inspected:
    """Read them. Needs `addresses`; adds `last_inspections` and `latest`."""
    study.run("create table last_inspections (system varchar, server varchar, observed_ns bigint)")
    groups: dict[tuple[str, str], list[tuple[str, int, dict[str, Any]]]] = {}
    for system, broker, server, observed_ns, settings in study.rows(BROKERS):
        groups.setdefault((system, broker), []).append((server, observed_ns, json.loads(settings)))
    for (system, _), known in groups.items():
        server, observed_ns, _ = known[0]
        study.run("insert into last_inspections values ($1, $2, $3)", [system, server, observed_ns])
    study.run(LATEST)
    found = tuple(
        Inspection(
            system=system, server=known[0][0], version=str(known[0][2].get("version", "")), inspected_ns=known[0][1],
            inspections=len(known), found=_sorted(known[0][2].get("found")), left_out=_sorted(known[0][2].get("left_out")),
            unreadable=_sorted(known[0][2].get("unreadable")),
        )
        for (system, _), known in groups.items()
    )  # fmt: skip
    things = tuple(_thing(row) for row in study.rows(ROWS))
    systems = {each.system for each in found}
    partly = {each.system for each in found if each.left_out or each.unreadable}
    return Inspected(found, things, frozenset(systems - partly))


def _thing(row: tuple[Any, ...]) -> Thing:
    values = [*row]
    values[-2] = json.loads(values[-2])
    return Thing(*values)


def _sorted(known: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(known.items())) if isinstance(known, dict) else ()


def permissions(known: Inspected) -> tuple[Permission, ...]:
    """Who may do what."""
    return tuple(each for thing in known.of("permission") for each in _permission(thing))


def _permission(thing: Thing) -> Iterator[Permission]:
    said = thing.settings
    if thing.system == "kafka":
        kind, resource = str(said.get("resource_kind", "")), str(said.get("resource", ""))
        pattern = f"{resource}*" if said.get("pattern_type") == "prefixed" else resource
        yield Permission(
            thing.system, thing.server, thing.name, kind, resource, str(said.get("operation", "")), pattern,
            bool(said.get("allowed")), thing.evidence,
        )  # fmt: skip
        return
    exchange = said.get("exchange")
    kind, resource = ("exchange", str(exchange)) if exchange is not None else ("virtual host", thing.virtual_host or "")
    for operation in ("configure", "write", "read"):
        regex = said.get(operation)
        if isinstance(regex, str):
            # RabbitMQ: an empty pattern allows nothing.
            yield Permission(
                thing.system, thing.server, thing.name, kind, resource, operation, regex, bool(regex), thing.evidence
            )  # fmt: skip
