"""Names every message: what type of event it is, and where that was read.

A message says what it is in its protocol's type field, in a header, in a field of its body, in its routing key or event
name; the channel is the last resort. Headers and body fields are judged per address, from all of its messages, before
any of them is named by them. A receive that was linked to a send is named as the send was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from msgtrace_analysis.study import BODY_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.study import Study

HEADERS: Final[dict[str, Certainty]] = {
    "cetype": "exact",  # CloudEvents: https://github.com/cloudevents/spec, the attribute `type` in every binding
    "cloudeventstype": "exact",
    "eventtype": "exact",
    "typeid": "exact",  # Spring's __TypeId__
    "messagetype": "exact",
    "eventname": "exact",
    "type": "likely",
    "task": "likely",  # Celery
    "event": "likely",
}
"""Headers that say what a message is, without case, separators and `x-`; the most telling first."""

FEW: Final = 50
"""More values than this, and they are not names of types."""
GENERAL: Final = 0.9
"""The share of bodies that must have a field before it is held to name them."""
ENOUGH: Final = 10
"""Messages from which on a judgement about a body field is more than a guess."""

_NAME = r"[A-Za-z_][A-Za-z0-9_.:/ -]{0,99}"

# One row per address: what its messages offer for a name.
SIGNS: Final = f"""
    select
        system, address_kind, address, count(*) as messages,
        count(*) filter (is_object) as objects,
        count(distinct routing_key) as keys,
        [{
    ", ".join(
        f"{{'field': '{field}', 'present': count(body_{place}), "
        f"'named': count(*) filter (regexp_full_match(body_{place}, $1)), 'values': count(distinct body_{place})}}"
        for place, field in enumerate(BODY_FIELDS)
    )
}] as fields
    from addressed
    where kind in ('send', 'receive', 'process')
    group by all
    order by all
"""

# One row per address and header that could name its messages.
HEADER_SIGNS: Final = """
    with pairs as (
        select
            system, address_kind, address, unnest(json_keys(headers)) as header, headers
        from addressed
        where kind in ('send', 'receive', 'process') and json_type(headers) = 'OBJECT'
    ), named as (
        select
            * exclude (headers),
            regexp_replace(
                regexp_replace(lower(header), '[^a-z0-9]', '', 'g'), '^x(eventtype|messagetype|type|event)$', '\\1'
            ) as squashed,
            '/' || replace(replace(header, '~', '~0'), '/', '~1') as pointer,
            json_extract_string(headers, '/' || replace(replace(header, '~', '~0'), '/', '~1')) as value
        from pairs
    )
    select system, address_kind, address, squashed, pointer, header, count(*), count(distinct value)
    from named
    where list_contains($1, squashed) and length(value) between 1 and 200
    group by all
    order by all
"""

# One row per message of a traced process and the name that it has by itself.
OWN_NAMES: Final = f"""
    create table own_names as
    with chosen as (
        select
            o.operation_id, o.system, o.address_kind, o.address, r.header, r.field, r.by_key,
            nullif(o.event_type, '') as type_field,
            nullif(json_extract_string(o.headers, r.pointer), '') as header_value,
            case r.field {
    " ".join(f"when '{field}' then o.body_{place}" for place, field in enumerate(BODY_FIELDS))
} end as field_value,
            nullif(o.routing_key, '') as routing_key
        from addressed as o
        left join naming_rules as r
            on r.system is not distinct from o.system and r.kind = o.address_kind and r.address = o.address
        where o.kind in ('send', 'receive', 'process')
    )
    select
        operation_id, system, address_kind, address,
        case
            when type_field is not null then 1
            when header_value is not null then 2
            when address_kind = 'bus' and by_key and routing_key is not null then 3
            when address_kind = 'bus' then 6
            when field_value is not null then 4
            when by_key and routing_key is not null then 5
            else 7
        end as rank,
        case rank
            when 1 then type_field when 2 then header_value when 3 then routing_key when 4 then field_value
            when 5 then routing_key else address
        end as name,
        case rank
            when 1 then 'type property' when 2 then 'header ' || header when 3 then 'event name'
            when 4 then 'body field ' || field when 5 then 'routing key' when 6 then 'signal name' else 'channel'
        end as named_by
    from chosen
"""

# One row per receive: the send that it most probably is.
BEST_LINKS: Final = """
    create table best_links as
    select
        l.receive_id,
        arg_min(l.send_id, (case l.certainty when 'exact' then 0 when 'likely' then 1 else 2 end, l.send_id))
            as send_id,
        case min(case l.certainty when 'exact' then 0 when 'likely' then 1 else 2 end)
            when 0 then 'exact' when 1 then 'likely' else 'guess' end as certainty
    from links as l
    semi join operations as s on s.operation_id = l.send_id
    semi join operations as r on r.operation_id = l.receive_id
    group by l.receive_id
"""

# One row per message: its event type. A `process` is a message only where it is what a send was delivered to; elsewhere
# it is the handling of a receive that stands for itself.
MESSAGES: Final = """
    create table messages as
    select
        o.operation_id,
        case o.kind when 'send' then 'send' else 'receive' end as side,
        n.system, n.address_kind, n.address, n.name, n.named_by, n.rank,
        l.send_id, l.certainty as link_certainty
    from operations as o
    left join best_links as l on l.receive_id = o.operation_id
    inner join own_names as n on n.operation_id = coalesce(l.send_id, o.operation_id)
    where o.kind in ('send', 'receive') or (o.kind = 'process' and l.send_id is not null)
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """How messages on one address are named when the protocol's own field says nothing.

    Attributes:
        header: the header's name, and `pointer` the way to it (RFC 6901).
        field: of the JSON body.
        by_key: the routing key or event name may name it.
    """

    system: str | None
    kind: str
    address: str
    header: str | None
    pointer: str | None
    field: str | None
    by_key: bool


@dataclass(frozen=True, slots=True)
class FieldSign:
    """A body field that could name messages: in how many it is text, looks like a name, and how many values it has."""

    field: str
    present: int
    named: int
    values: int


@dataclass(frozen=True, slots=True)
class HeaderSign:
    """A header that could name messages."""

    squashed: str
    pointer: str
    header: str
    present: int
    values: int


def few(values: int, messages: int) -> bool:
    """Whether so many values among so many messages can be names of types."""
    return values <= FEW and (messages < ENOUGH or values * 2 <= messages)


def best_header(signs: Iterable[HeaderSign]) -> HeaderSign | None:
    """The most telling header whose values can be names."""
    order = list(HEADERS)
    fit = [sign for sign in signs if few(sign.values, sign.present)]
    return min(fit, key=lambda sign: (order.index(sign.squashed), -sign.present, sign.header), default=None)


def best_field(signs: Iterable[FieldSign], objects: int) -> str | None:
    """The first body field that nearly every object has and whose values can be names."""
    for sign in signs:
        if objects and sign.named == sign.present >= GENERAL * objects and few(sign.values, sign.present):
            return sign.field
    return None


def certainty_of(named_by: str, messages: int) -> Certainty:
    """How sure a name is, from where it was read."""
    if named_by in {"type property", "event name", "signal name"}:
        return "exact"
    if named_by.startswith("header "):
        squashed = re.sub("[^a-z0-9]", "", named_by.removeprefix("header ").lower())
        return HEADERS.get(squashed) or HEADERS.get(squashed.removeprefix("x"), "likely")
    if named_by.startswith("body field "):
        return "likely" if messages >= ENOUGH else "guess"
    return "likely" if named_by == "routing key" else "guess"


def name_messages(study: Study) -> None:
    """Add the tables `best_links` and `messages`: every message with its event type. Needs `addressed`."""
    headers: dict[tuple[str | None, str, str], list[HeaderSign]] = {}
    for system, kind, address, *sign in study.rows(HEADER_SIGNS, [list(HEADERS)]):
        headers.setdefault((system, kind, address), []).append(HeaderSign(*sign))
    rules = []
    for system, kind, address, messages, objects, keys, fields in study.rows(SIGNS, [_NAME]):
        header = best_header(headers.get((system, kind, address), []))
        rules.append(
            Rule(
                system, kind, address,
                header=None if header is None else header.header,
                pointer=None if header is None else header.pointer,
                field=best_field([FieldSign(**each) for each in fields], objects),
                by_key=kind == "bus" or few(keys, messages),
            )
        )  # fmt: skip
    study.keep("naming_rules", _table(rules))
    for sql in (OWN_NAMES, BEST_LINKS, MESSAGES):
        study.run(sql)


def _table(rules: list[Rule]) -> pa.Table:
    types = {name: pa.bool_() if name == "by_key" else pa.string() for name in Rule.__slots__}
    return pa.table({name: pa.array([getattr(each, name) for each in rules], kind) for name, kind in types.items()})
