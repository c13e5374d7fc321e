"""How much of the traffic the trace explains: links found and not found, with the likely reasons, and what was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from msgtrace_analysis.findings import CERTAINTIES, Completeness, Loss, Unlinked
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.study import Study

# One row per certainty: receives that are a send of the trace.
LINKS: Final = "select certainty, count(*) from best_links group by certainty"

# One row per certainty: sends that were found to follow from something, by the best of what was found.
CAUSES: Final = """
    with best as (
        select effect_id, min(case certainty when 'exact' then 0 when 'likely' then 1 else 2 end) as rank
        from causes
        semi join operations as o on o.operation_id = causes.effect_id and o.kind = 'send'
        group by effect_id
    )
    select ['exact', 'likely', 'guess'][rank + 1], count(*) from best group by rank
"""

# One row: sends without a cause, operations without an end, bodies that were not decoded, secrets that were replaced.
COUNTS: Final = """
    select
        count(*) filter (kind = 'send' and operation_id not in (select effect_id from causes)),
        count(*) filter (outcome = 'unknown'),
        count(*) filter (kind in ('send', 'receive') and coalesce(body_size, 0) > 0 and not readable),
        coalesce(sum(redacted), 0)
    from operations
"""

# One row per channel and reason: sends without a receive in the trace.
UNRECEIVED: Final = f"""
    with receivable as (
        select distinct system, address_kind, address from messages where side = 'receive'
    ), subscribed as (
        select distinct system, channel from operations where kind = 'subscribe'
    ), unreceived as (
        select
            o.*, m.address,
            case
                when o.outcome in ('raised', 'cancelled') then 'the send failed'
                when o.outcome = 'returned' then 'the broker gave it back: nothing was bound that would take it'
                when o.outcome = 'unknown' then 'the send was not seen to end'
                when m.address_kind = 'bus' then 'no handler was registered for it'
                when c.address is not null then 'a consumer was traced, but this was not found among what it received'
                else 'no consumer of this channel was traced'
            end as reason
        from messages as m
        inner join operations as o using (operation_id)
        left join receivable as c
            on c.system is not distinct from m.system and c.address_kind = m.address_kind and c.address = m.address
        anti join best_links as l on l.send_id = m.operation_id
        where m.side = 'send'
    )
    select 'send', system, address, reason, {EVIDENCE}
    from unreceived
    group by system, address, reason
    order by all
"""

# One row per channel and reason: receives without a send in the trace.
UNSENT: Final = f"""
    with sendable as (
        select distinct system, address_kind, address from messages where side = 'send'
    ), unsent as (
        select
            o.*, m.address,
            case
                when s.address is not null then 'a producer was traced, but this was not found among what it sent'
                else 'its producer is outside of the trace'
            end as reason
        from messages as m
        inner join operations as o using (operation_id)
        left join sendable as s
            on s.system is not distinct from m.system and s.address_kind = m.address_kind and s.address = m.address
        where m.side = 'receive' and m.send_id is null
    )
    select 'receive', system, address, reason, {EVIDENCE}
    from unsent
    group by system, address, reason
    order by all
"""

LOSSES: Final = "select service, reason, detail, cast(sum(lost) as bigint) from losses group by all order by all"


DROPPED: Final = ", or the record of it was dropped"
"""What may also be the reason where the trace counts dropped records."""


def completeness(study: Study) -> Completeness:
    """Count what is known and what is not. Needs the tables of `naming`."""
    ((uncaused, unfinished, unread, redacted),) = study.rows(COUNTS)
    lost = losses(study)
    doubt = DROPPED if any(each.reason == "dropped" for each in lost) else ""
    unlinked = [
        Unlinked(side, system or "", channel, f"{reason}{doubt}", evidence(rest, "likely"))
        for sql in (UNRECEIVED, UNSENT)
        for side, system, channel, reason, *rest in study.rows(sql)
    ]
    return Completeness(
        links=_by_certainty(study, LINKS),
        causes=_by_certainty(study, CAUSES),
        uncaused=uncaused,
        unfinished=unfinished,
        unread=unread,
        redacted=int(redacted),
        unlinked=tuple(unlinked),
        losses=lost,
    )


def losses(study: Study) -> tuple[Loss, ...]:
    """The trace's own account of what is not in it."""
    return tuple(Loss(*row) for row in study.rows(LOSSES))


def _by_certainty(study: Study, sql: str) -> tuple[tuple[Certainty, int], ...]:
    known = dict(study.rows(sql))
    return tuple((certainty, cast("int", known[certainty])) for certainty in CERTAINTIES if certainty in known)
