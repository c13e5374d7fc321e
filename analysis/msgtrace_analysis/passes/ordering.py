"""Whether messages were received in the order in which they were sent: for each key, partition, sender through a queue, or log.

Only what needs no two clocks is compared. Where a message stands among those sent is the broker's own number for it, or its
sender's count. When it was received is compared within one process, and between processes of one machine by the clock that
they share; receives of different machines are not compared with each other. Two sends that were under way at the same time
have no order between them. A message counts by its first receive: what comes again comes late by its nature, and is counted
apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Order, Overtaken
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

EXAMPLES: Final = 5

# One row per receive and scope in which it has an order: the lane, and the place in it. A queue's and a list's senders are
# ordered for each channel that they send through; one that sends to several exchanges or with several keys has no order
# between these.
LANES: Final = """
    create table lanes as
    with placed as (
        select
            t.operation_id, t.observed_ns, t.begun_ns, t.at_ns, t.system, t.place, t.channel, t.channel_kind, t.consumer_group,
            t.consumer, t.service,
            t.process_id, t.host, t.turn, t.partition_id, t.key_hash, t.log_offset, t.identity, t.died,
            s.process_id as sender, s.operation_id as sent, s.channel as sent_to, s.routing_key, s.connection_id as sent_on,
            s.at_ns as sent_ns, s.at_ns + coalesce(s.duration_ns, 0) as sent_until_ns
        from taken as t
        left join timed as s on s.operation_id = t.send_id and t.certainty <> 'guess'
    )
    select 'partition' as scope, hash(channel, partition_id) as lane, log_offset as position, 0 as minor, * exclude (sent, sender)
    from placed
    where log_offset is not null
    union all
    select 'key', hash(channel, partition_id, key_hash), log_offset, 0, * exclude (sent, sender)
    from placed
    where log_offset is not null and key_hash is not null
    union all
    select
        'group', hash(channel), try_cast(split_part(identity, '-', 1) as bigint), try_cast(split_part(identity, '-',
        2) as bigint),
        * exclude (sent, sender)
    from placed
    where channel_kind = 'stream' and try_cast(split_part(identity, '-', 1) as bigint) is not null
    union all
    select 'queue', hash(channel, sender, sent_on, sent_to, routing_key), sent, 0, * exclude (sent, sender)
    from placed
    where sent is not null and log_offset is null and channel_kind not in ('stream', 'topic') and not died
"""

# One row per receive in a lane: the furthest place that its lane had reached in the same group on the same machine before.
FOLLOWED: Final = """
    create table followed as
    select
        *, (position, minor) as place_in,
        max((position, minor, operation_id, sent_ns)) over (
            partition by scope, system, consumer, lane, host, turn = 1 order by at_ns, operation_id
            rows between unbounded preceding and 1 preceding
        ) as reached,
        max((position, minor)) filter (turn = 1) over (
            partition by scope, system, consumer, lane, host order by at_ns, operation_id
            rows between unbounded preceding and 1 preceding
        ) as first_reached
    from lanes
"""

# One row per scope and queue or group.
ORDERS: Final = f"""
    with judged as (
        select
            *,
            turn = 1 and reached is not null and place_in < (reached[1], reached[2])
            and (scope <> 'queue' or reached[4] >= sent_until_ns) as overtaken
        from followed
    )
    select
        scope, system, place, channel_kind, consumer_group, list_sort(list(distinct service)), count(distinct (lane, consumer)),
        count(distinct process_id), count(*) filter (turn = 1), count(*) filter (overtaken),
        count(*) filter (turn > 1 and first_reached is not null and place_in < first_reached),
        list_sort(min([operation_id, reached[3]], {EXAMPLES}) filter (overtaken)), {EVIDENCE}
    from judged
    group by scope, system, place, channel_kind, consumer_group
    having count(*) filter (turn = 1) > 1
    order by all
"""


def orders(study: Study) -> tuple[Order, ...]:
    """Find what came in order and what did not. Needs the tables of `handling`."""
    study.run(LANES)
    study.run(FOLLOWED)
    return tuple(
        Order(
            scope=scope, system=system, channel=place, channel_kind=kind, group=group, services=tuple(services), lanes=lanes,
            consumers=processes, messages=messages, violations=violations, late_repeats=late,
            examples=tuple(Overtaken(*pair) for pair in examples or ()), evidence=evidence(rest),
        )
        for (
            scope, system, place, kind, group, services, lanes, processes, messages, violations, late, examples, *rest
        ) in study.rows(ORDERS)
    )  # fmt: skip
