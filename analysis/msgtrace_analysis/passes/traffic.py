"""Who sends what to whom: every message once, between services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import CERTAINTIES, Traffic
from msgtrace_analysis.passes.events import ref

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

# One row per pair of services and event type: receives with their send, receives without, sends without a receive.
TRAFFIC: Final = """
    with pairs as (
        select
            coalesce(m.send_id, m.operation_id) as message, s.service as source, r.service as target,
            m.system, m.address_kind, m.address, m.name,
            case m.link_certainty when 'exact' then 0 when 'likely' then 1 when 'guess' then 2 else 1 end as rank
        from messages as m
        inner join operations as r using (operation_id)
        left join operations as s on s.operation_id = m.send_id
        where m.side = 'receive'
        union all
        select m.operation_id, s.service, null, m.system, m.address_kind, m.address, m.name, 1
        from messages as m
        inner join operations as s using (operation_id)
        anti join best_links as l on l.send_id = m.operation_id
        where m.side = 'send'
    )
    select source, target, system, address_kind, address, name, count(distinct message), count(target), max(rank)
    from pairs
    group by source, target, system, address_kind, address, name
    order by all
"""


def traffic(study: Study) -> tuple[Traffic, ...]:
    """Sum up all messages. Needs the tables of `naming`."""
    return tuple(
        Traffic(
            source=source,
            target=target,
            event=ref(system, kind, address, name),
            name=name,
            channel_kind=kind,
            messages=messages,
            receives=receives,
            certainty=CERTAINTIES[rank],
        )
        for source, target, system, kind, address, name, messages, receives, rank in study.rows(TRAFFIC)
    )
