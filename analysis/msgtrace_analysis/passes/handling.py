"""What each receive from a broker was, and what became of it: the table `taken`, from which everything about delivery is read.

Times are of the monotonic clock where all processes ran on one machine, which share it and which nobody sets; else of the
wall clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

# One row per operation, with the address of its own channel and its time on the best clock. What was recorded when it was
# over began earlier; Kafka's commits are recorded when they begin.
TIMED: Final = """
    create view timed as
    with clocks as (select count(distinct host) as hosts from processes)
    select
        o.*, coalesce(a.address, o.channel, '') as place,
        case when hosts > 1 then o.observed_ns else o.monotonic_ns end as at_ns,
        at_ns - case
            when o.kind = 'receive' or (o.kind = 'settle' and o.system <> 'kafka') then coalesce(o.duration_ns, 0) else 0
        end as begun_ns
    from operations as o
    cross join clocks
    left join addresses as a
        on a.system is not distinct from o.system and a.kind is not distinct from o.channel_kind
        and a.name is not distinct from o.channel
"""

# One row per receive and operation that it led to: of its handler, when it has one, too.
LED_TO: Final = """
    create table led_to as
    with handlers as (
        select c.cause_id as receive_id, c.effect_id as handler_id
        from causes as c
        semi join operations as r on r.operation_id = c.cause_id and r.kind = 'receive'
        semi join operations as p on p.operation_id = c.effect_id and p.kind = 'process'
        where c.certainty = 'exact'
    )
    select receive_id, handler_id as effect_id, 'exact' as certainty, true as handler from handlers
    union all
    select h.receive_id, c.effect_id, c.certainty, false
    from handlers as h
    inner join causes as c on c.cause_id = h.handler_id
    union all
    select c.cause_id, c.effect_id, c.certainty, false
    from causes as c
    semi join operations as r on r.operation_id = c.cause_id and r.kind = 'receive'
    semi join operations as e on e.operation_id = c.effect_id and e.kind <> 'process'
"""

# One row per receive: its handler's end and outcome, and the settlement that came first. A settlement is one of `done`
# (acknowledged, committed) or not (refused, requeued).
ENDED: Final = """
    create table ended as
    with handled as (
        select
            l.receive_id, bool_or(p.outcome = 'raised' or p.error_type is not null) as raised,
            bool_and(p.outcome <> 'unknown') as whole, max(p.at_ns + p.duration_ns) as over_ns
        from led_to as l
        inner join timed as p on p.operation_id = l.effect_id
        where l.handler
        group by l.receive_id
    ), settled as (
        select
            t.receive_id, arg_min(s.outcome, s.operation_id) as settled_as, arg_min(s.begun_ns, s.operation_id) as settled_ns,
            arg_min(s.begun_ns + coalesce(s.duration_ns, 0), s.operation_id) as settled_until_ns,
            arg_min(s.process_id, s.operation_id) as settled_by,
            bool_or(s.settings ->> '$.transactional_id' is not null) as in_transaction
        from settlements as t
        inner join timed as s on s.operation_id = t.settle_id
        where s.outcome not in ('raised', 'cancelled', 'unknown')
        group by t.receive_id
    )
    select * from handled full outer join settled using (receive_id)
"""

# One row per receive from a broker. `message` is what tells that two receives are of one; `turn` counts them for each queue or
# group, or for each connection where all get a copy. `fetched_until_ns` is when whoever fetched it asked for more. A commit
# of a log's offset by another process than the one that received it says nothing of what that process did.
TAKEN: Final = """
    create table taken as
    with received as (
        select
            r.operation_id, r.observed_ns, r.at_ns, r.begun_ns, r.system, r.place, r.channel, coalesce(r.channel_kind,
            '') as channel_kind,
            coalesce(r.consumer_group, '') as consumer_group, r.group_generation, r.service, r.process_id, r.host,
            r.connection_id,
            r.consumer_tag, r.server, r.partition_id, r.log_offset, r.identity, r.key_hash, coalesce(r.redelivered,
            false) as redelivered,
            r.outcome = 'raised' or r.error_type is not null as unread, r.handler_site is not null as called, r.settings,
            l.send_id,
            l.certainty, coalesce(r.batch_id, r.operation_id) as batch, coalesce(json_exists(r.headers, '$."x-death"'),
            false) as died,
            case
                when r.channel_kind in ('queue', 'list') then coalesce(r.virtual_host, '')
                when r.consumer_group is not null then 'group ' || r.consumer_group
                else 'connection ' || coalesce(r.connection_id, r.operation_id)
            end as consumer,
            case
                when r.log_offset is not null then 'offset ' || coalesce(r.partition_id, -1) || ' ' || r.log_offset
                when r.channel_kind = 'stream' and r.identity is not null then 'entry ' || r.identity
                when l.send_id is not null then 'send ' || l.send_id
                else 'id ' || r.message_id
            end as message
        from timed as r
        left join best_links as l on l.receive_id = r.operation_id
        where r.kind = 'receive' and coalesce(r.channel_kind, '') not in ('bus', 'route') and r.system is not null
    ), batches as (
        select process_id, channel, consumer, batch, min(begun_ns) as asked_ns
        from received
        where not called
        group by all
    ), fetches as (
        select
            process_id, channel, consumer, batch,
            lead(asked_ns) over (partition by process_id, channel, consumer order by asked_ns, batch) as more_ns
        from batches
    )
    select
        r.*,
        f.more_ns as fetched_until_ns, e.raised, e.whole, e.over_ns,
        case when r.log_offset is null or e.settled_by = r.process_id then e.settled_as end as settled_as,
        e.settled_ns, e.settled_until_ns,
        e.settled_by,
        coalesce(e.in_transaction, false) as in_transaction,
        case when r.message is null then 1
            else row_number() over (partition by r.system, r.channel, r.consumer, r.message order by r.at_ns, r.operation_id)
        end as turn
    from received as r
    left join ended as e on e.receive_id = r.operation_id
    left join fetches as f
        on f.process_id = r.process_id and f.channel is not distinct from r.channel and f.consumer = r.consumer
            and f.batch = r.batch
        and not r.called
"""

OF: Final = "system, place, channel_kind, consumer_group"
"""What receives are grouped by: the queue or group that they are of."""


def time_operations(study: Study) -> None:
    """Add `timed`. Needs `addresses`."""
    study.run(TIMED)


def take(study: Study) -> None:
    """Add `led_to`, `ended` and `taken`. Needs `timed` and the tables of `naming`."""
    for sql in (LED_TO, ENDED, TAKEN):
        study.run(sql)
