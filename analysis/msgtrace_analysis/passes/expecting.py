"""Which messages a queue's or group's consumers should have had: the table `expected`, from which gaps and lag are read.

A consumer is held to expect what was sent the same way as something that it received: to the same topic, stream or list, or to
the same exchange with the same routing key. Exchanges that don't route by key alone are left out, and so is what came by way
of a dead-letter exchange. Only messages from the first on that it received in the same lane (partition, or sender) count; of a
partition that it had nothing of yet, those since its first of all, or all if it was set to begin at the earliest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

# One row per message that was sent to a broker and not refused, with its place among those of its lane.
SENT: Final = """
    create table sent_messages as
    with odd_exchanges as (
        select distinct system, channel
        from timed
        where kind = 'declare' and channel_kind = 'exchange' and settings ->> '$.exchange_type' not in ('direct', 'topic',
        'fanout')
    )
    select
        s.operation_id, s.observed_ns, s.at_ns, s.system, coalesce(s.virtual_host, '') as virtual_host, s.channel as sent_to,
        s.service, s.host,
        case when s.channel_kind = 'exchange' then coalesce(s.routing_key, '') end as routing_key,
        case
            when s.log_offset is not null then hash(s.partition_id)
            when s.channel_kind = 'stream' then hash(0)
            else hash(s.process_id, s.connection_id)
        end as lane,
        case
            when s.log_offset is not null then cast(s.log_offset as hugeint)
            when s.channel_kind = 'stream' then try_cast(split_part(s.identity, '-', 1) as hugeint) * 18446744073709551616
                + try_cast(split_part(s.identity, '-', 2) as hugeint)
            else cast(s.operation_id as hugeint)
        end as position
    from timed as s
    anti join odd_exchanges as o on o.system = s.system and o.channel = s.channel
    where s.kind = 'send' and s.outcome not in ('raised', 'cancelled', 'returned', 'nack', 'reject')
        and s.channel_kind in ('exchange', 'list', 'topic', 'stream')
        and not (s.channel_kind = 'topic' and s.log_offset is null)
"""

# One row per consumer (a queue's or a group's) and first receive of a message.
FIRSTS: Final = """
    create table firsts as
    select
        t.system, t.place, t.channel, t.channel_kind, t.consumer_group, t.consumer, t.operation_id as receive_id,
        t.connection_id, t.send_id,
        t.at_ns,
        t.host, s.sent_to, s.routing_key, s.lane, s.position
    from taken as t
    inner join sent_messages as s on s.operation_id = t.send_id
    where t.turn = 1 and t.certainty <> 'guess' and not t.died
        and (t.channel_kind <> 'queue' or coalesce(t.settings ->> '$.exchange', s.sent_to) = s.sent_to)
        and t.channel_kind in ('queue', 'list', 'topic', 'stream')
        and (t.channel_kind in ('queue', 'list') or t.consumer_group <> '')
"""

# One row per consumer and message that it should have had. `state`: `received`; `missed`, though later ones of the lane were
# received; `waiting`.
EXPECTED: Final = """
    create table expected as
    with routes as (
        select
            f.system, f.place, f.channel, f.channel_kind, f.consumer_group, f.consumer, f.sent_to, f.routing_key,
            min(f.at_ns) as begun_ns, bool_or(coalesce(c.facts ->> '$.auto_offset_reset' = 'earliest', false)) as from_the_first
        from firsts as f
        left join connections as c using (connection_id)
        group by f.system, f.place, f.channel, f.channel_kind, f.consumer_group, f.consumer, f.sent_to, f.routing_key
    ), lanes_seen as (
        select system, channel, consumer, sent_to, routing_key, lane, min(position) as first, max(position) as last
        from firsts
        group by all
    ), services as (
        select system, channel, consumer, list_sort(list(distinct service)) as services
        from taken
        group by all
    )
    select
        r.system, r.place, r.channel, r.channel_kind, r.consumer_group, r.consumer, v.services, s.operation_id, s.observed_ns,
        s.at_ns as sent_ns, f.at_ns as got_ns, f.receive_id, s.host <> f.host as far,
        case when f.receive_id is not null then 'received' when s.position < l.last then 'missed' else 'waiting' end as state
    from routes as r
    inner join sent_messages as s
        on s.system = r.system and s.sent_to is not distinct from r.sent_to and s.routing_key is not distinct from r.routing_key
        and (r.channel_kind <> 'queue' or s.virtual_host = r.consumer)
    inner join services as v on v.system = r.system and v.channel is not distinct from r.channel and v.consumer = r.consumer
    left join lanes_seen as l
        on l.system = r.system and l.channel is not distinct from r.channel and l.consumer = r.consumer
        and l.sent_to is not distinct from r.sent_to and l.routing_key is not distinct from r.routing_key and l.lane = s.lane
    left join firsts as f
        on f.send_id = s.operation_id and f.system = r.system and f.channel is not distinct from r.channel
            and f.consumer = r.consumer
    where coalesce(s.position >= l.first, r.from_the_first or s.at_ns > r.begun_ns)
"""


def expect(study: Study) -> None:
    """Add `sent_messages`, `firsts` and `expected`. Needs the tables of `handling`."""
    for sql in (SENT, FIRSTS, EXPECTED):
        study.run(sql)
