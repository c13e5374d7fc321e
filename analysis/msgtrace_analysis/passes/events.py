"""The catalogue: every event type, who publishes it where, who consumes it where, how often and how large."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Event, Parameter, Party, Place, Sizes, weakest
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.kinds import Facts, judge, uses
from msgtrace_analysis.passes.naming import certainty_of
from msgtrace_analysis.passes.same_types import same_types
from msgtrace_analysis.rules import NO_RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgtrace_analysis.passes.kinds import Use
    from msgtrace_analysis.passes.same_types import Key
    from msgtrace_analysis.rules import Rules
    from msgtrace_analysis.study import Study

SHOWN_CHANNELS: Final = 5

# One row per event type. Sizes are of the sends where there are any, else of the receives: a receive repeats its send.
EVENTS: Final = f"""
    select
        m.system, m.address_kind, m.address, m.name,
        list_sort(list(distinct m.named_by)) as named_by,
        count(*) filter (m.side = 'send') as sends,
        count(*) filter (m.side = 'receive') as receives,
        coalesce(min(o.body_size) filter (m.side = 'send'), min(o.body_size)),
        coalesce(median(o.body_size) filter (m.side = 'send'), median(o.body_size)),
        coalesce(max(o.body_size) filter (m.side = 'send'), max(o.body_size)),
        list_sort(list(distinct o.channel) filter (o.channel is not null and o.channel <> m.address
            and (m.side = 'send' or m.send_id is null) and o.channel <> ''))[:$1],
        {EVIDENCE}
    from messages as m
    inner join operations as o using (operation_id)
    group by m.system, m.address_kind, m.address, m.name
    order by m.system, m.address, m.name, m.address_kind
"""

# One row per event type, side and place in the code. A receive's place is the function that handles it: the one that
# was given to the library, or the one that a message of it was processed by, or where it was fetched.
PARTIES: Final = f"""
    select
        m.system, m.address_kind, m.address, m.name, m.side, p.kind, p.service, p.name, p.site, {EVIDENCE}
    from messages as m
    inner join operations as o using (operation_id)
    inner join places as p using (operation_id)
    group by m.system, m.address_kind, m.address, m.name, m.side, p.kind, p.service, p.name, p.site
    order by all
"""

# One row per operation that is a place in the code: where a message was handled or sent, a request came in, or a
# connection was opened that something followed from. A framework's code takes and handles the messages of many channels,
# each with other code of the program's: it is a place of its own for each.
PLACES: Final = """
    create table places as
    with processed as (
        select c.cause_id as operation_id, arg_min(p.handler_name, c.effect_id) as name,
            arg_min(p.handler_site, c.effect_id) as site, arg_min(p.handler_foreign, c.effect_id) as foreign
        from causes as c
        inner join operations as p on p.operation_id = c.effect_id
        where p.kind = 'process' and p.handler_site is not null and c.certainty = 'exact'
        group by c.cause_id
    )
    select
        o.operation_id,
        case
            when o.kind = 'trigger' then 'route'
            when o.kind = 'connect' then 'connection'
            when o.kind <> 'send' and coalesce(o.handler_site, p.site) is not null then 'handler'
            else 'code'
        end as kind,
        o.service,
        case
            when o.kind = 'trigger' then trim(coalesce(o.routing_key, '') || ' ' || o.address)
            when o.kind = 'connect' then trim('connection ' || o.address)
            when o.kind = 'send' then coalesce(o.code_function, '')
            when o.handler_foreign or p.foreign
                then concat(coalesce(o.handler_name, p.name), ' for ', coalesce(a.address, o.channel))
            when o.kind = 'receive' and coalesce(o.handler_name, p.name, o.code_function) is null
                then concat('library code for ', o.address)
            else coalesce(o.handler_name, p.name, o.code_function, '')
        end as name,
        case
            when o.kind = 'send' then coalesce(o.code_site, cast('' as {word}))
            else coalesce(o.handler_site, p.site, o.code_site, cast('' as {word}))
        end as site
    from addressed as o
    left join processed as p using (operation_id)
    left join addresses as a
        on (o.handler_foreign or p.foreign) and a.system is not distinct from o.system
        and a.kind is not distinct from o.channel_kind and a.name is not distinct from o.channel
    where o.kind in ('send', 'receive', 'process', 'trigger')
        or (o.kind = 'connect' and o.operation_id in (select cause_id from causes))
"""


# One row per parameter of a template.
PARAMETERS: Final = """
    select system, kind, of, template, name, type, count
    from parameters
    order by system, kind, of, template, cast(place as integer)
"""


def ref(system: str | None, kind: str, address: str, name: str) -> str:
    """What identifies an event type throughout a report."""
    return f"{system or ''}/{kind}/{address}/{name}"


def place_operations(study: Study) -> None:
    """Add the table `places`. Needs `addressed`."""
    study.run(PLACES.format(word=study.word))


def catalogue(study: Study, span_ns: int, rules: Rules = NO_RULES) -> tuple[Event, ...]:
    """Find all event types. Needs the tables of `naming` and `place_operations`.

    Args:
        study: the trace.
        span_ns: the time that it covers.
        rules: what the user says about kinds.
    """
    parties: defaultdict[tuple[Any, ...], list[Party]] = defaultdict(list)
    for system, kind, address, name, side, place_kind, service, function, site, *rest in study.rows(PARTIES):
        place = Place(place_kind, service, function, site)
        parties[system, kind, address, name, side].append(Party(place, evidence(rest)))
    found = _Catalogue(uses(study), same_types(study), parameters_of(study), rules, span_ns)
    return tuple(
        found.event(row, parties[*row[:4], "send"], parties[*row[:4], "receive"])
        for row in study.rows(EVENTS, [SHOWN_CHANNELS])
    )


def parameters_of(study: Study) -> dict[tuple[str | None, str, str, str], list[Parameter]]:
    """The parameters of templates, by (system, kind, `channel` or `key`, template)."""
    found: dict[tuple[str | None, str, str, str], list[Parameter]] = {}
    for system, kind, of, template, name, type_, values in study.rows(PARAMETERS):
        known = found.setdefault((system, kind, of, template), [])
        if all(each.name != name for each in known):
            known.append(Parameter(of, name, type_, int(values)))
    return found


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """What was found out about all types."""

    uses: Mapping[Key, Use]
    same: Mapping[Key, tuple[Key, ...]]
    parameters: Mapping[tuple[str | None, str, str, str], list[Parameter]]
    rules: Rules
    span_ns: int

    def event(self, row: tuple[Any, ...], publishers: Sequence[Party], consumers: Sequence[Party]) -> Event:
        system, kind, address, name, named_by, sends, receives, smallest, median, largest, channels, *rest = row
        messages = sends or receives
        facts = Facts(
            name=name,
            named_by=named_by[0],
            channel_kind=kind,
            publishers=frozenset(party.place.service for party in publishers),
            consumers=frozenset(party.place.service for party in consumers),
            use=self.uses[system, kind, address, name],
        )
        # AMQP's default exchange: the name is the queue's own, and so are its parameters.
        templates = (("channel", address), *((("key", name),) if name != address else ()))
        return Event(
            ref=ref(system, kind, address, name),
            name=name,
            system=system or "",
            address=address,
            channel_kind=kind,
            named_by=", ".join(named_by),
            sends=sends,
            receives=receives,
            per_second=round(messages * 1e9 / self.span_ns, 3) if self.span_ns else None,
            sizes=None if smallest is None else Sizes(smallest, round(median), largest),
            channels=tuple(channels or ()),
            parameters=tuple(
                each for of, text in templates for each in self.parameters.get((system, kind, of, text), ())
            ),
            also_on=tuple(ref(*other) for other in self.same.get((system, kind, address, name), ())),
            judgement=judge(facts, self.rules),
            publishers=tuple(publishers),
            consumers=tuple(consumers),
            evidence=evidence(rest, weakest(certainty_of(each, messages) for each in named_by)),
        )
