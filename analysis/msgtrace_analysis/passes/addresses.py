"""Groups channels into addresses: one for a channel, and one template for many that differ in ids only.

What a template is, is judged by `patterns`; here it is done for all channels of a system and kind, and for the routing
keys and event names of each address.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from msgtrace_analysis.passes.patterns import fitted, templates
from msgtrace_analysis.rules import NO_RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgtrace_analysis.passes.patterns import Template
    from msgtrace_analysis.rules import Rules
    from msgtrace_analysis.study import Study

# One row per operation: the channel that its event type belongs to. AMQP's default exchange is addressed by queue:
# every queue is bound to it by its own name (AMQP 0-9-1, 3.1.3.1). A delivery from a queue says which exchange it came
# through.
SOURCED: Final = """
    create view sourced as
    select
        o.*,
        case
            when o.channel_kind = 'exchange' and o.channel = '' then 'queue'
            when o.channel_kind = 'queue' and o.kind in ('receive', 'settle') and o.settings ->> '$.exchange' <> ''
                then 'exchange'
            else o.channel_kind
        end as source_kind,
        case
            when o.channel_kind = 'exchange' and o.channel = '' then o.routing_key
            when o.channel_kind = 'queue' and o.kind in ('receive', 'settle') and o.settings ->> '$.exchange' <> ''
                then o.settings ->> '$.exchange'
            else o.channel
        end as source
    from operations as o
"""

# One row per channel that the trace knows.
CHANNELS: Final = """
    select system, source_kind as kind, source as name from sourced
    union
    select system, channel_kind, channel from operations
    union
    select system, channel_kind, channel from inspected
    where channel_kind in ('exchange', 'queue', 'topic', 'stream', 'list', 'pubsub')
    order by all
"""

ADDRESSED: Final = """
    create view addressed as
    select s.*, coalesce(a.address, '') as address, coalesce(a.kind, '') as address_kind
    from sourced as s
    left join addresses as a
        on a.system is not distinct from s.system
        and a.kind is not distinct from s.source_kind
        and a.name is not distinct from s.source
"""


# One row per routing key or event name of an address.
KEYS: Final = """
    select distinct system, address_kind, address, routing_key
    from addressed
    where routing_key <> '' and kind in ('send', 'receive', 'process')
    order by all
"""


@dataclass(frozen=True, slots=True)
class Address:
    """A channel and the template that it falls under; the channel itself when it falls under none."""

    system: str | None
    kind: str | None
    name: str | None
    address: str


def judge(
    channels: Iterable[tuple[str | None, str | None, str | None]], given: Sequence[str] = ()
) -> tuple[list[Address], list[tuple[str | None, str | None, Template]]]:
    """Give every channel (system, kind, name) its address.

    Args:
        channels: all of them.
        given: templates that go before those that are found.

    Returns:
        the addresses, and the templates among them.
    """
    groups: defaultdict[tuple[str | None, str | None], list[str | None]] = defaultdict(list)
    for system, kind, name in channels:
        groups[system, kind].append(name)
    addresses: list[Address] = []
    known: list[tuple[str | None, str | None, Template]] = []
    for (system, kind), names in groups.items():
        found = _under((name for name in names if name), given)
        known += [(system, kind, each) for each in {each.text: each for each in found.values()}.values()]
        for name in names:
            template = found.get(name or "")
            addresses.append(Address(system, kind, name, name or "" if template is None else template.text))
    return addresses, known


def _under(names: Iterable[str], given: Sequence[str]) -> dict[str, Template]:
    listed = list(names)
    known = fitted(listed, given)
    return templates(name for name in listed if name not in known) | known


def address_channels(study: Study, rules: Rules = NO_RULES) -> None:
    """Add the view `addressed`: operations with `address` and `address_kind`.

    And the tables `addresses`, `keys` (routing keys and event names, with the templates that they fall under as `key`),
    and `parameters` of the templates of both.
    """
    study.run(SOURCED)
    given = [rule.template for rule in rules.channels]
    judged, known = judge(study.rows(CHANNELS), given)
    columns = {name: pa.array([getattr(each, name) for each in judged], pa.string()) for name in Address.__slots__}
    study.keep("addresses", pa.table(columns))
    study.run(ADDRESSED)
    of_channels = [(system, kind, each.text, "channel", each) for system, kind, each in known]
    study.keep("parameters", _parameters(of_channels + _fold_keys(study, given)))


def _fold_keys(study: Study, given: Sequence[str]) -> list[tuple[str | None, str | None, str, str, Template]]:
    """Add the table `keys`; the templates that were found for it."""
    groups: defaultdict[tuple[str | None, str, str], list[str]] = defaultdict(list)
    for system, kind, address, key in study.rows(KEYS):
        groups[system, kind, address].append(key)
    rows: list[tuple[str | None, str, str, str, str]] = []
    known: list[tuple[str | None, str | None, str, str, Template]] = []
    for (system, kind, address), keys in groups.items():
        found = _under(keys, given)
        rows += [(system, kind, address, key, found[key].text if key in found else key) for key in keys]
        distinct = {each.text: each for each in found.values()}
        known += [(system, kind, address, "key", each) for each in distinct.values()]
    study.keep("keys", table(("system", "address_kind", "address", "routing_key", "key"), rows))
    return known


def _parameters(known: Iterable[tuple[str | None, str | None, str, str, Template]]) -> pa.Table:
    rows = [
        (system, kind, address, of, template.text, str(place), each.name, each.type, str(each.values))
        for system, kind, address, of, template in known
        for place, each in enumerate(template.parameters)
    ]
    return table(("system", "kind", "address", "of", "template", "place", "name", "type", "count"), rows)


def table(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> pa.Table:
    """Rows of text as a table."""
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})
