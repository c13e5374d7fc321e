"""Which event types each service sends to and receives from which channel, and with what headers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Header, Use
from msgtrace_analysis.passes.events import parameters_of, ref
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.findings import Parameter
    from msgtrace_analysis.study import Study

KEYS: Final = 100
"""Routing keys that are listed of one use."""

# One row per message that crossed a wire. With the operation's own channel, not the address that its event type is
# catalogued under: what comes from a queue is catalogued under its exchange.
USED: Final = """
    create view used as
    select
        m.system, m.address_kind, m.address, m.name, m.side, o.service, coalesce(a.address, o.channel, '') as channel,
        coalesce(o.channel_kind, '') as channel_kind, o.operation_id, o.observed_ns, o.routing_key, o.consumer_group,
        o.server, o.encoding, o.correlation_id, o.reply_to, o.headers
    from messages as m
    inner join operations as o using (operation_id)
    left join addresses as a
        on a.system is not distinct from o.system and a.kind is not distinct from o.channel_kind
        and a.name is not distinct from o.channel
    where o.channel_kind is distinct from 'bus'
"""

# One row per event type, side, service and channel.
USES: Final = f"""
    select
        u.system, u.address_kind, u.address, u.name, u.side, u.service, u.channel, u.channel_kind,
        list_sort(list(distinct coalesce(k.key, u.routing_key)) filter (u.routing_key <> ''))[:$1],
        list_sort(list(distinct u.consumer_group) filter (u.consumer_group is not null)),
        list_sort(list(distinct u.server) filter (u.server is not null)),
        histogram(u.encoding) filter (u.encoding is not null),
        count(u.correlation_id), count(u.reply_to), {EVIDENCE}
    from used as u
    left join keys as k
        on k.system is not distinct from u.system and k.address_kind = u.address_kind and k.address = u.address
        and k.routing_key = u.routing_key
    group by u.system, u.address_kind, u.address, u.name, u.side, u.service, u.channel, u.channel_kind
    order by all
"""

# One row per use and header.
HEADERS: Final = """
    with pairs as (
        select
            system, address_kind, address, name, side, service, channel, channel_kind, headers,
            unnest(json_keys(headers)) as header
        from used
        where starts_with(headers, '{') and headers <> '{}'
    )
    select
        system, address_kind, address, name, side, service, channel, channel_kind, header,
        list_sort(list(distinct json_type(headers, '/' || replace(replace(header, '~', '~0'), '/', '~1')))), count(*)
    from pairs
    group by all
    order by all
"""

TYPES: Final = {
    "VARCHAR": "string", "BIGINT": "integer", "UBIGINT": "integer", "HUGEINT": "integer", "DOUBLE": "number",
    "BOOLEAN": "boolean", "NULL": "null", "OBJECT": "object", "ARRAY": "array",
}  # fmt: skip
"""DuckDB's names of JSON types, and JSON Schema's."""


def uses(study: Study) -> tuple[Use, ...]:
    """Who uses which channel for what. Needs the tables of `naming`."""
    study.run(USED)
    headers: defaultdict[tuple[Any, ...], list[Header]] = defaultdict(list)
    for *key, name, types, present in study.rows(HEADERS):
        kinds = tuple(sorted({TYPES.get(each, "string") for each in types}))
        headers[tuple(key)].append(Header(name, kinds, present))
    known = parameters_of(study)
    return tuple(_use(row, tuple(headers[row[:8]]), known) for row in study.rows(USES, [KEYS]))


def _use(
    row: tuple[Any, ...],
    headers: tuple[Header, ...],
    parameters: Mapping[tuple[str | None, str, str, str], list[Parameter]],
) -> Use:
    system, kind, address, name, side, service, channel, channel_kind = row[:8]
    keys, groups, servers, encodings, correlated, replied, *rest = row[8:]
    often = sorted((encodings or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    found = evidence(rest)
    templates = [(system, channel_kind, "channel", channel), *((system, kind, "key", key) for key in keys or ())]
    return Use(
        event=ref(system, kind, address, name), side=side, service=service, system=system or "",
        channel=channel, channel_kind=channel_kind, keys=tuple(keys or ()),
        parameters=tuple(each for template in templates for each in parameters.get(template, ())),
        groups=tuple(groups or ()), servers=tuple(servers or ()), encodings=tuple(encoding for encoding, _ in often),
        messages=found.operations, correlated=correlated, replied=replied, headers=headers, evidence=found,
    )  # fmt: skip
