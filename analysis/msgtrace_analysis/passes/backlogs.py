"""What waits: messages sent and not yet received, over time, for those who share a queue or a consumer group."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Backlog
from msgtrace_analysis.passes.events import ref

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

POINTS: Final = 60
BEHIND: Final = 0.05
"""The share of all messages that must wait at the end before consumers are said to be behind."""
ENOUGH: Final = 10
"""Messages that must wait at least."""

# One row per queue or group, event type, and point of time: messages that came to wait, and that were taken, before it.
# What kinds of channel keep nothing have no backlog.
WAITING: Final = f"""
    with received as materialized (
        select
            c.type, coalesce(a.address, o.channel, '') as channel, coalesce(o.consumer_group, '') as consumers,
            c.send_id, c.moment, c.service
        from counted as c
        inner join operations as o using (operation_id)
        left join addresses as a
            on a.system is not distinct from o.system and a.kind = o.channel_kind and a.name = o.channel
        where c.side = 'receive' and c.send_id is not null
            and coalesce(o.channel_kind, '') not in ('bus', 'pubsub', 'connection', 'room')
    ), taken as (
        select type, channel, consumers, send_id, min(moment) as got from received group by all
    ), sent as (
        select type, operation_id, moment as came from counted where side = 'send'
    ), ends as (
        select
            r.type, r.channel, r.consumers, max(s.came) as upto, list_sort(list(distinct r.service)) as services
        from received as r
        inner join sent as s on s.operation_id = r.send_id
        group by r.type, r.channel, r.consumers
    ), waits as (
        select e.type, e.channel, e.consumers, e.services, s.came, t.got
        from ends as e
        inner join sent as s on s.type = e.type
        left join taken as t
            on t.send_id = s.operation_id and t.type = e.type and t.channel = e.channel and t.consumers = e.consumers
        where t.send_id is not null or s.came > e.upto
    ), changes as (
        select type, channel, consumers, services, least((came - $1) * {POINTS} // $2, {POINTS} - 1) as point,
            1 as came, 0 as went
        from waits
        union all
        select type, channel, consumers, services,
            least((greatest(got, came) - $1) * {POINTS} // $2, {POINTS} - 1), 0, 1
        from waits
        where got is not null
    )
    select t.system, t.address_kind, t.address, t.name, c.channel, c.consumers, c.services, c.point,
        sum(c.came), sum(c.went)
    from changes as c
    inner join event_types as t using (type)
    group by t.type, t.system, t.address_kind, t.address, t.name, c.channel, c.consumers, c.services, c.point
    order by t.type, c.channel, c.consumers, c.point
"""


def backlogs(study: Study, first_ns: int, span_ns: int) -> tuple[Backlog, ...]:
    """Find every backlog. Needs the tables of `naming`, `event_types` and `counted`.

    Args:
        study: the trace.
        first_ns: when it begins.
        span_ns: the time that it covers.
    """
    if not span_ns:
        return ()
    groups: dict[tuple[Any, ...], dict[int, tuple[int, int]]] = {}
    for *key, services, point, came, went in study.rows(WAITING, [first_ns, span_ns]):
        groups.setdefault((*key, tuple(services)), {})[point] = (came, went)
    return tuple(_backlog(key, changes, first_ns, span_ns) for key, changes in groups.items())


def _backlog(key: tuple[Any, ...], changes: dict[int, tuple[int, int]], first_ns: int, span_ns: int) -> Backlog:
    system, kind, address, name, channel, group, services = key
    steps = [changes.get(point, (0, 0)) for point in range(POINTS)]
    waiting = list(accumulate(came - went for came, went in steps))
    sent, received = sum(came for came, _ in steps), sum(went for _, went in steps)
    times = [first_ns + (point + 1) * span_ns // POINTS for point in range(POINTS)]
    largest = max(waiting)
    return Backlog(
        event=ref(system, kind, address, name),
        name=name,
        system=system or "",
        channel=channel,
        group=group,
        services=services,
        sent=sent,
        received=received,
        sent_per_second=round(sent * 1e9 / span_ns, 6),
        received_per_second=round(received * 1e9 / span_ns, 6),
        largest=largest,
        largest_ns=times[waiting.index(largest)],
        last=waiting[-1],
        # The end of a recording cuts off what is under way: only what has grown over a good part of it counts.
        behind=waiting[-1] >= max(ENOUGH, BEHIND * sent) and waiting[-1] >= 0.8 * largest
        and waiting[-1] > 1.2 * waiting[POINTS * 2 // 3],
        points=tuple(zip(times, waiting, strict=True)),
    )  # fmt: skip
