"""Finds the attempts of each message: every time that one consumer had it, whatever brought it back.

That two receives are of one message is told by the broker's own identity (send, offset, stream id, message id), or by
the handler having sent it on: the same body or id, from within the handling, to where the same consumer takes it up.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Place
from msgtrace_analysis.passes.attempt_groups import AGAIN, DEAD, Death, Forward, Receive, Tried, grouped
from msgtrace_analysis.passes.events import ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.study import Study

# One row per receive from a broker: how often its consumer has had the message before, and what it says of itself.
# Whoever subscribes without a group to a topic, stream or channel of pub/sub has a copy of each message for himself.
ATTEMPTS: Final = """
    create table if not exists attempts as
    with received as (
        select
            o.operation_id, o.observed_ns, o.system, o.channel, o.service, m.system as event_system, m.address_kind,
            m.address, m.name, o.redelivered, o.attempt,
            json_exists(o.headers, '$."x-death"') as died,
            try_cast(o.headers ->> '$."x-delivery-count"' as bigint) as deliveries,
            case
                when m.send_id is not null then 'send ' || m.send_id
                when o.log_offset is not null then 'offset ' || coalesce(o.partition_id, -1) || ' ' || o.log_offset
                when o.identity is not null and o.channel_kind = 'stream' then 'entry ' || o.channel || ' ' || o.identity
                else 'id ' || o.message_id
            end as message,
            case
                when o.channel_kind in ('queue', 'list') then ''
                when o.consumer_group is not null then 'group ' || o.consumer_group
                else 'connection ' || coalesce(o.connection_id, o.operation_id)
            end as consumer
        from messages as m
        inner join operations as o using (operation_id)
        where o.kind = 'receive'
    )
    select
        *,
        case when message is null then 1
            else row_number() over (partition by system, channel, consumer, message order by observed_ns, operation_id)
        end as turn
    from received
"""

# One row per receive: the call of its handler, the first and the last settlement of it, and when its consumer went back to it.
HANDLED: Final = """
    create table handled as
    with processed as (
        select c.cause_id as operation_id, min(p.operation_id) as process_id,
            arg_min(p.outcome, p.operation_id) as outcome, arg_min(p.error_type, p.operation_id) as error_type,
            arg_min(p.observed_ns + p.duration_ns, p.operation_id) as ended_ns
        from causes as c
        inner join operations as p on p.operation_id = c.effect_id
        where p.kind = 'process' and c.certainty = 'exact'
        group by c.cause_id
    ), settled as (
        select t.receive_id as operation_id, arg_max(s.outcome, s.operation_id) as outcome, min(s.observed_ns) as settled_ns
        from settlements as t
        inner join operations as s on s.operation_id = t.settle_id
        where s.outcome not in ('raised', 'cancelled')
        group by t.receive_id
    ), sought as (
        select r.operation_id, k.observed_ns as sought_ns
        from operations as r
        asof join (
            select * from operations where kind = 'call' and settings ->> '$.action' = 'seek' and log_offset is not null
        ) as k
            on k.connection_id = r.connection_id and k.channel = r.channel and k.partition_id = r.partition_id
            and k.log_offset = r.log_offset and k.operation_id > r.operation_id
        where r.kind = 'receive'
    )
    select
        a.operation_id, p.process_id, p.outcome as handled, p.error_type, p.ended_ns, s.outcome as settled, s.settled_ns,
        k.sought_ns
    from attempts as a
    left join processed as p using (operation_id)
    left join settled as s using (operation_id)
    left join sought as k using (operation_id)
"""

# One row per send that a receive's handling made, and what it has in common with what was received: the body, the id, or
# only a place that a message is sent to when it is to be tried again or is given up.
FORWARDS: Final = """
    create table candidates as
    with effects as (
        select c.cause_id as receive_id, c.effect_id, c.certainty from causes as c
        union all
        select h.operation_id, c.effect_id, c.certainty
        from handled as h
        inner join causes as c on c.cause_id = h.process_id
    )
    select
        e.receive_id, s.operation_id as send_id,
        case when bool_or(e.certainty = 'exact') then 'exact' else 'likely' end as certainty,
        any_value(case
            when s.body_digest = r.body_digest and r.body_size > 0 then 'body'
            when s.message_id = r.message_id then 'message id'
            when regexp_matches(s.channel || ' ' || coalesce(s.routing_key, ''), $1) then 'place'
            else 'fields'
        end) as told_by
    from effects as e
    inner join operations as s on s.operation_id = e.effect_id and s.kind = 'send'
    inner join operations as r on r.operation_id = e.receive_id and r.kind = 'receive'
    where e.certainty <> 'guess' and s.system = r.system and (
        (s.body_digest = r.body_digest and r.body_size > 0) or s.message_id = r.message_id
        or regexp_matches(s.channel || ' ' || coalesce(s.routing_key, ''), $1)
        or s.channel = r.channel or (s.channel = '' and s.routing_key = r.channel)
        or regexp_matches(s.channel || ' ' || coalesce(s.routing_key, ''), $2)
    )
    group by e.receive_id, s.operation_id
"""

# One row per pair that only its bodies can tell to be one message.
TO_COMPARE: Final = "select receive_id, send_id from candidates where told_by = 'fields' order by send_id limit $1"

SAME: Final = (
    "create table forwards as select * from candidates where told_by <> 'fields' or send_id in (select unnest($1))"
)

COMPARED: Final = 20_000
"""Pairs of bodies that are looked at."""
COUNTER: Final = re.compile(
    r"attempt|retr(?:y|ies)|tries|count|error|reason|delay|backoff|due|_at$|time", re.IGNORECASE
)
"""Names of fields that differ from one attempt to the next."""

# One row per message that is worth a look: it was had more than once, or failed, or was sent on.
TRIED: Final = """
    create table tried as
    select distinct a.message
    from attempts as a
    inner join handled as h using (operation_id)
    where a.message is not null and (
        a.turn > 1 or a.redelivered or a.died or a.attempt > 1 or a.deliveries > 0
        or h.settled in ('reject', 'nack', 'requeue') or h.handled = 'raised'
        or a.operation_id in (select receive_id from forwards)
    )
    union
    select distinct 'send ' || send_id from forwards
"""

# One row per receive that a consumer of a log went back before, without having come to it: what `poll` gave after a record
# that is to be tried again is given again, and was not tried.
SKIPPED: Final = """
    create table skipped as
    with reads as (
        select operation_id, connection_id, channel, partition_id, log_offset,
            lag(log_offset) over (partition by connection_id, channel, partition_id order by operation_id) as before
        from operations
        where kind = 'receive' and log_offset is not null and connection_id is not null
    ), rewinds as (
        select * from reads where before >= log_offset
    )
    select r.operation_id
    from reads as r
    asof join rewinds as w
        on w.connection_id = r.connection_id and w.channel = r.channel
        and w.partition_id is not distinct from r.partition_id and w.operation_id > r.operation_id
    where w.log_offset < r.log_offset
"""

# One row per receive of such a message.
RECEIVES: Final = """
    select
        a.message, o.operation_id, o.observed_ns, coalesce(o.system, ''), coalesce(o.channel, ''), o.channel_kind,
        coalesce(o.routing_key, ''), coalesce(o.settings ->> '$.exchange', ''), coalesce(o.consumer_group, ''),
        coalesce(p.kind, 'code'), o.service, coalesce(p.name, ''), coalesce(p.site, ''),
        a.event_system, a.address_kind, a.address, a.name,
        coalesce(o.redelivered, false), o.attempt, a.deliveries, cast(o.headers -> '$."x-death"' as varchar),
        o.settings ->> '$.command', coalesce(o.connection_id, 0), o.process_id, o.log_offset is not null, o.batch_id,
        h.handled, coalesce(h.error_type, o.error_type, ''), h.ended_ns, h.settled, h.settled_ns, h.sought_ns
    from tried as t
    inner join attempts as a using (message)
    inner join operations as o using (operation_id)
    inner join handled as h using (operation_id)
    left join places as p using (operation_id)
    anti join skipped on skipped.operation_id = o.operation_id
    order by o.observed_ns, o.operation_id
"""

# One row per forward.
SENT_ON: Final = """
    select
        f.receive_id, f.send_id, f.certainty, f.told_by, o.observed_ns, coalesce(o.channel, ''), coalesce(o.channel_kind, ''),
        coalesce(o.routing_key, ''), o.expiration, o.headers ->> '$."x-delay"'
    from forwards as f
    inner join operations as o on o.operation_id = f.send_id
    order by f.send_id
"""


def number_attempts(study: Study) -> None:
    """Add the table `attempts`. Needs the tables of `naming`."""
    study.run(ATTEMPTS)


def tried(study: Study) -> Tried:
    """Group all attempts. Needs the tables of `naming` and `place_operations`."""
    number_attempts(study)
    study.run(HANDLED)
    study.run(FORWARDS, [f"(?i){DEAD.pattern}", f"(?i){AGAIN.pattern}"])
    study.run(SAME, [_alike(study)])
    study.run(TRIED)
    study.run(SKIPPED)
    receives: defaultdict[str, list[Receive]] = defaultdict(list)
    for row in study.rows(RECEIVES):
        each = _receive(row)
        receives[each.message].append(each)
    forwards: defaultdict[int, list[Forward]] = defaultdict(list)
    for row in study.rows(SENT_ON):
        forwards[row[0]].append(Forward(*row))
    frozen = {message: tuple(known) for message, known in receives.items()}
    return Tried(grouped(frozen, forwards), frozen)


def _alike(study: Study) -> list[int]:
    """Sends whose body is that of the receive but for what counts attempts."""
    pairs = study.rows(TO_COMPARE, [COMPARED])
    bodies = dict(study.some_bodies(sorted({each for pair in pairs for each in pair}))) if pairs else {}
    return [send for receive, send in pairs if same_but_counted(bodies.get(receive), bodies.get(send))]


def same_but_counted(one: str | None, other: str | None) -> bool:
    """Whether two bodies are objects that differ in what counts attempts and in nothing else.

    >>> same_but_counted('{"id": 1, "attempt": 1}', '{"id": 1, "attempt": 2}')
    True
    >>> same_but_counted('{"id": 1, "page": 1}', '{"id": 1, "page": 2}')
    False
    """
    if one is None or other is None:
        return False
    left, right = json.loads(one), json.loads(other)
    if not isinstance(left, dict) or not isinstance(right, dict):
        return False
    differing = {name for name in left.keys() | right.keys() if left.get(name) != right.get(name)}
    return bool(differing) and all(map(COUNTER.search, differing)) and len(left.keys() - differing) > 0


def _receive(row: tuple[Any, ...]) -> Receive:
    (message, operation, at_ns, system, channel, kind, key, exchange, group, place, service, function, site, *event,
     redelivered, attempt, deliveries, deaths, command, connection, process, of_log, batch, handled, error, ended, settled,
     settled_ns, sought) = row  # fmt: skip
    return Receive(
        message, operation, at_ns, system, channel, kind or "", key, exchange, group, Place(place, service, function, site),
        ref(*event), event[3], redelivered, attempt, deliveries, tuple(_deaths(deaths)), command, connection, process,
        of_log, batch, handled, error, ended, settled, settled_ns, sought,
    )  # fmt: skip


def _deaths(text: str | None) -> Iterator[Death]:
    """What `x-death` says, so far as it has the form that RabbitMQ gives it."""
    known = json.loads(text) if text else None
    for each in known if isinstance(known, list) else ():
        if isinstance(each, dict) and isinstance(each.get("queue"), str):
            count = each.get("count")
            yield Death(
                each["queue"],
                str(each.get("reason", "")),
                str(each.get("exchange", "")),
                count if isinstance(count, int) else 1,
            )
