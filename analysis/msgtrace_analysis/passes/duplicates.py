"""Messages that were delivered more than once, what came before that, and whether handling again sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Duplicates
from msgtrace_analysis.passes.evidence import EXAMPLES, evidence
from msgtrace_analysis.passes.handling import OF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace_analysis.findings.delivery import Effects
    from msgtrace_analysis.study import Study

# One row per receive of a message that was received again, with what the one before had come to by then: `success`, `refusal`, or
# `silence`. What is handled under another mode than by settling has succeeded when its handler has ended.
REPEATED: Final = """
    create table repeated as
    select
        t.*,
        case when lag(how) over earlier = 'success' and lag(settled_ns) over earlier >= at_ns then 'silence'
            else lag(how) over earlier end as before
    from (
        select
            *, max(turn) over (partition by system, channel, consumer, message) as turns,
            case
                when settled_as in ('nack', 'reject', 'requeue') or coalesce(raised, false) or unread then 'refusal'
                when settled_as in ('ack', 'commit') then 'success'
                when channel_kind in ('list', 'pubsub', 'connection', 'room') and coalesce(whole, true) then 'success'
                else 'silence'
            end as how
        from taken
        where message is not null
    ) as t
    where turns > 1
    window earlier as (partition by system, channel, consumer, message order by turn)
"""

# One row per receive of a repeated message and kind of message that its handling sent: the event type, where it went, and
# how many.
EFFECTS: Final = """
    create table repeated_effects as
    select r.operation_id, r.system, r.channel, r.consumer, r.message, r.turn, m.address_kind, m.address, m.name
    from repeated as r
    inner join led_to as l on l.receive_id = r.operation_id
    inner join timed as e on e.operation_id = l.effect_id
    inner join messages as m on m.operation_id = e.operation_id
    where e.kind = 'send' and l.certainty <> 'guess' and e.outcome not in ('raised', 'cancelled')
    group by all
"""

# One row per repeated message whose handling, before the last time, sent something: whether it sent it again.
VERDICTS: Final = """
    create table repeated_verdicts as
    with sent as (
        select system, channel, consumer, message, address_kind, address, name, count(*) as times, min(turn) as first
        from repeated_effects
        group by all
    ), ends as (
        select system, channel, consumer, message, max(turn) as turns from repeated group by all
    )
    select s.system, s.channel, s.consumer, s.message, bool_or(s.times > 1) as again
    from sent as s
    inner join ends as e
        on e.system = s.system and e.channel is not distinct from s.channel and e.consumer = s.consumer and e.message = s.message
    where s.first < e.turns
    group by all
"""

# One row per queue or group with repeated messages.
DUPLICATES: Final = f"""
    select
        {", ".join(f"r.{each}" for each in OF.split(", "))}, list_sort(list(distinct r.service)),
        count(distinct (r.channel, r.consumer, r.message)) as messages, count(*) filter (r.turn > 1),
        count(*) filter (r.before = 'success'), count(*) filter (r.before = 'refusal'), count(*) filter (r.before = 'silence'),
        count(*) filter (r.turn > 1 and r.redelivered),
        count(distinct (r.channel, r.consumer, r.message)) filter (v.again is not null),
        count(distinct (r.channel, r.consumer, r.message)) filter (v.again),
        count(*) filter (r.turn > 1), list_sort(min(r.operation_id, {EXAMPLES}) filter (r.turn > 1)),
        min(r.observed_ns) filter (r.turn > 1), max(r.observed_ns) filter (r.turn > 1)
    from repeated as r
    left join repeated_verdicts as v
        on v.system = r.system and v.channel is not distinct from r.channel and v.consumer = r.consumer and v.message = r.message
    group by {", ".join(f"r.{each}" for each in OF.split(", "))}
    order by all
"""


def duplicates(study: Study) -> tuple[Duplicates, ...]:
    """Find what was delivered more than once. Needs the tables of `handling` and of `naming`."""
    for sql in (REPEATED, EFFECTS, VERDICTS):
        study.run(sql)
    return tuple(_duplicates(row) for row in study.rows(DUPLICATES))


def _duplicates(row: Sequence[Any]) -> Duplicates:
    (
        system,
        place,
        kind,
        group,
        services,
        messages,
        deliveries,
        success,
        refusal,
        silence,
        flagged,
        known,
        again,
        *rest,
    ) = row
    effects: Effects = "repeated" if again else "not repeated" if known else "unknown"
    return Duplicates(
        system=system, channel=place, channel_kind=kind, group=group, services=tuple(services), messages=messages,
        deliveries=deliveries, after_success=success, after_refusal=refusal, after_silence=silence, flagged=flagged,
        effects=effects, with_effects=known, repeats=again, evidence=evidence(rest),
    )  # fmt: skip
