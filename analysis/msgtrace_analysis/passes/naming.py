"""Names every message: what type of event it is, and where that was read.

A message is called what the user's rules call it; else what its protocol's type field, a header or a field of its body
says; else its routing key or event name; the channel is the last resort. Headers and fields are judged per address, from
a sample of its messages (`discriminators`), before any of them is named by them. A receive that was linked to a send is
named as the send was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from msgtrace_analysis.passes.configured import CONFIGURED, apply
from msgtrace_analysis.passes.discriminators import ENOUGH, NAME, Candidate, best, few, shape_names, squashed
from msgtrace_analysis.passes.sampling import take
from msgtrace_analysis.rules import NO_RULES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.passes.discriminators import Sample
    from msgtrace_analysis.rules import Rules
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

# One row per address: what its messages offer for a name.
SIGNS: Final = """
    select a.system, a.address_kind, a.address, count(*) as messages, count(distinct k.key) as keys
    from addressed as a
    left join keys as k
        on k.system is not distinct from a.system and k.address_kind = a.address_kind and k.address = a.address
        and k.routing_key = a.routing_key
    where a.kind in ('send', 'receive', 'process')
    group by all
    order by all
"""

# One row per address and header that could name its messages.
HEADER_SIGNS: Final = """
    with pairs as (
        select
            system, address_kind, address, unnest(json_keys(headers)) as header, headers
        from addressed
        where kind in ('send', 'receive', 'process') and starts_with(headers, '{') and headers <> '{}'
    ), named as (
        select
            * exclude (headers),
            regexp_replace(regexp_replace(lower(header), '^x[-_]', ''), '[^a-z0-9]', '', 'g') as squashed,
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
OWN_NAMES: Final = """
    create table own_names as
    with chosen as (
        select
            o.operation_id, o.kind, o.system, o.address_kind, o.address, r.header, r.field, r.by_key,
            c.name as configured, c.named_by as configured_by,
            nullif(o.event_type, '') as type_field,
            nullif(json_extract_string(o.headers, r.pointer), '') as header_value,
            case when regexp_full_match(t.text, $1) then t.text end as field_value,
            nullif(coalesce(k.key, o.routing_key), '') as routing_key
        from addressed as o
        left join naming_rules as r
            on r.system is not distinct from o.system and r.kind = o.address_kind and r.address = o.address
        left join texts as t on t.operation_id = o.operation_id and t.place = r.place
        left join keys as k
            on k.system is not distinct from o.system and k.address_kind = o.address_kind and k.address = o.address
            and k.routing_key = o.routing_key
        left join configured as c on c.operation_id = o.operation_id
        where o.kind in ('send', 'receive', 'process')
    )
    select
        operation_id, kind, system, address_kind, address,
        case
            when configured is not null then 0
            when type_field is not null then 1
            when header_value is not null then 2
            when address_kind = 'bus' and by_key and routing_key is not null then 3
            when address_kind = 'bus' then 6
            when field_value is not null then 4
            when by_key and routing_key is not null then 5
            else 7
        end as rank,
        case rank
            when 0 then configured when 1 then type_field when 2 then header_value when 3 then routing_key
            when 4 then field_value when 5 then routing_key else address
        end as name,
        case rank
            when 0 then configured_by when 1 then 'type property' when 2 then 'header ' || header when 3 then 'event name'
            when 4 then 'body field ' || field when 5 then 'routing key' when 6 then 'signal name' else 'channel'
        end as named_by
    from chosen
"""

_RANKED: Final = 10**19
# One row per link between operations of the copy. One lookup a statement: the tables of two are too much at once.
SENT_LINKS: Final = """
    create temp table sent_links as
    select receive_id, send_id, case certainty when 'exact' then 0 when 'likely' then 1 else 2 end as rank
    from links
    semi join operations as s on s.operation_id = links.send_id
"""
KNOWN_LINKS: Final = """
    create temp table known_links as
    select l.receive_id, o.kind, l.send_id, l.rank
    from sent_links as l
    inner join operations as o on o.operation_id = l.receive_id
"""
# One row per receive: the send that it most probably is. Rank and send in one number, whose least has a state of fixed size.
BEST_LINKS: Final = f"""
    create table best_links as
    with ranked as (
        select receive_id, kind, min(rank * {_RANKED}::hugeint + send_id) as best from known_links group by receive_id, kind
    )
    select
        receive_id, kind, cast(best % {_RANKED} as bigint) as send_id,
        case best // {_RANKED} when 0 then 'exact' when 1 then 'likely' else 'guess' end as certainty
    from ranked
"""

# One row per text of an event type.
TITLES: Final = """
    select unnest([cast(system as varchar), address_kind, address, name, named_by])
    from (select distinct system, address_kind, address, name, named_by from own_names)
"""

# One row per message: its event type. A `process` is a message only where it is what a send was delivered to; elsewhere
# it is the handling of a receive that stands for itself. Names are never what a join looks up: they are long, and as many
# as operations.
MESSAGES: Final = """
    create table messages as
    select
        n.operation_id, case n.kind when 'send' then 'send' else 'receive' end as side,
        {titled}, n.rank,
        null::bigint as send_id, null::varchar as link_certainty
    from own_names as n
    anti join best_links as l on l.receive_id = n.operation_id
    where n.kind <> 'process'
    union all
    select
        l.receive_id, case l.kind when 'send' then 'send' else 'receive' end,
        {titled}, n.rank, l.send_id, l.certainty
    from own_names as n
    inner join best_links as l on l.send_id = n.operation_id
    where l.kind in ('send', 'receive', 'process')
"""


TITLED: Final = ("system", "address_kind", "address", "name", "named_by")


@dataclass(frozen=True, slots=True)
class Rule:
    """How messages on one address are named when the protocol's own field says nothing.

    Attributes:
        header: the header's name, and `pointer` the way to it (RFC 6901).
        field: of the JSON body, and `place` of the way to it among all ways that are used.
        by_key: the routing key or event name may name it.
    """

    system: str | None
    kind: str
    address: str
    header: str | None
    pointer: str | None
    field: str | None
    place: int | None
    by_key: bool


@dataclass(frozen=True, slots=True)
class HeaderSign:
    """A header that could name messages."""

    squashed: str
    pointer: str
    header: str
    present: int
    values: int


def best_header(signs: Iterable[HeaderSign]) -> HeaderSign | None:
    """The most telling header whose values can be names."""
    order = list(HEADERS)
    fit = [sign for sign in signs if few(sign.values, sign.present)]
    return min(fit, key=lambda sign: (order.index(sign.squashed), -sign.present, sign.header), default=None)


def certainty_of(named_by: str, messages: int) -> Certainty:
    """How sure a name is, from where it was read."""
    if named_by in {"type property", "event name", "signal name", "rule"}:
        return "exact"
    if named_by.startswith("header "):
        known = HEADERS.get(squashed(named_by.removeprefix("header ")))
        return known or ("likely" if messages >= ENOUGH else "guess")
    if named_by.startswith("body field "):
        return "likely" if messages >= ENOUGH else "guess"
    return "likely" if named_by == "routing key" else "guess"


def name_messages(study: Study, rules: Rules = NO_RULES) -> None:
    """Add the tables `best_links` and `messages`: every message with its event type. Needs `addressed` and `keys`."""
    headers: dict[tuple[str | None, str, str], list[HeaderSign]] = {}
    for system, kind, address, *sign in study.rows(HEADER_SIGNS, [list(HEADERS)]):
        headers.setdefault((system, kind, address), []).append(HeaderSign(*sign))
    samples = take(study)
    pointers: dict[str, int] = {}
    found = [
        _rule(system, kind, address, best_header(headers.get((system, kind, address), [])),
              samples.get((system, kind, address)), pointers, fitting=kind == "bus" or few(keys, messages))
        for system, kind, address, messages, keys in study.rows(SIGNS)
    ]  # fmt: skip
    study.keep("naming_rules", _table(found))
    for rule in rules.names:
        if rule.field is not None:
            pointers.setdefault(rule.pointer, len(pointers))
    _read_texts(study, list(pointers))
    study.run(CONFIGURED)
    apply(study, rules.names, pointers)
    study.run(OWN_NAMES, [NAME])
    for sql in (SENT_LINKS, KNOWN_LINKS, BEST_LINKS):
        study.run(sql)
    title = study.text_type("title", TITLES)
    study.run(MESSAGES.format(titled=", ".join(f"cast(n.{each} as {title}) as {each}" for each in TITLED)))
    study.run("drop table sent_links")
    study.run("drop table known_links")


def _rule(
    system: str | None,
    kind: str,
    address: str,
    known: HeaderSign | None,
    sample: Sample | None,
    pointers: dict[str, int],
    *,
    fitting: bool,
) -> Rule:
    found = None if sample is None else best(sample)
    candidate: Candidate | None = None if found is None else found.candidate
    header, pointer, field, place = None, None, None, None
    if known is not None:
        header, pointer = known.header, known.pointer
    elif candidate is not None and candidate.where == "header":
        header, pointer = candidate.label, candidate.pointer
    if candidate is not None and candidate.where == "field":
        field, place = candidate.label, pointers.setdefault(candidate.pointer, len(pointers))
    by_key = fitting and (sample is None or shape_names(sample, sample.keys))
    return Rule(system, kind, address, header, pointer, field, place, by_key)


def _read_texts(study: Study, pointers: list[str]) -> None:
    """Add the table `texts`: one row per message and place at which there is text."""
    if not pointers:
        study.run("create table texts (operation_id bigint, place integer, text varchar)")
        return
    study.keep_texts("read_texts", pointers)
    each = " union all ".join(
        f"select operation_id, {place} as place, text_{place} as text from read_texts where text_{place} is not null"
        for place in range(len(pointers))
    )
    study.run(f"create table texts as {each}")
    study.run("drop table read_texts")


def _table(rules: list[Rule]) -> pa.Table:
    types = {"by_key": pa.bool_(), "place": pa.int32()}
    return pa.table(
        {
            name: pa.array([getattr(each, name) for each in rules], types.get(name, pa.string()))
            for name in Rule.__slots__
        }
    )
