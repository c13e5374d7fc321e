"""How much consumers take at a time, against which limits, and what ended for want of time or room.

What a library has prefetched and not handed to the program yet is no receive: numbers in flight are at least these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Load, Pressure
from msgtrace_analysis.passes.evidence import EVIDENCE, WIDTH, evidence
from msgtrace_analysis.passes.handling import OF

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

SATURATED: Final = 0.9
"""The share of its time from which on a consumer is said to have all that it can take."""
ENOUGH: Final = 20
"""Receives below which nothing is said of that."""
WHO: Final = f"{OF}, service"
EACH: Final = "process_id, coalesce(connection_id, 0) as connection, coalesce(consumer_tag, '') as tag"
EARLIER: Final = "between unbounded preceding and current row"
TIME: Final = "(?i)time-?(d)?[ _]?out"
ROOM: Final = (
    "(?i)rate-?limit|too-?many|throttl|quota|buffer(error|full|exhausted)|queue-?full"
    "|out-?of-?memory|resource-?exhausted"
)
"""In the name of an error: that there was no room. `TIME`: that time ran out."""

# One row per connection: what it was set to. A connection whose channels were set to different numbers has none.
BOUNDS: Final = """
    create table bounds as
    with asked as (
        select connection_id, try_cast(settings ->> '$.prefetch_count' as bigint) as many
        from operations
        where kind = 'declare' and settings ->> '$.action' = 'qos' and outcome not in ('raised', 'cancelled')
    )
    select
        connection_id, 'prefetch_count' as name, max(many) as bound,
        count(distinct many) filter (many > 0) > 1 as differs, null as gap_ms
    from asked
    group by connection_id
    union all
    select
        connection_id, 'max_poll_records', try_cast(facts ->> '$.max_poll_records' as bigint), false,
        try_cast(facts ->> '$.max_poll_interval_ms' as bigint)
    from connections
    where facts ->> '$.max_poll_records' is not null
"""

# One row per receive and its end (of a log: the other messages of its fetch), for each consumer of a process.
HELD: Final = f"""
    create table held as
    select
        {WHO}, {EACH}, operation_id, observed_ns, at_ns, settled_ns, over_ns, log_offset is not null as of_log,
        row_number() over same_fetch as number
    from taken
    where channel_kind not in ('connection', 'room')
    window same_fetch as (
        partition by process_id, connection_id, channel, coalesce(fetched_until_ns, operation_id) order by operation_id
    )
"""

# One row per consumer of a process and moment at which what it holds changes, until the next. What was never settled it
# holds to the end.
LEVELS: Final = f"""
    create table levels as
    with changes as (
        select {WHO}, process_id, connection, tag, at_ns as moment, 1 as change from held where not of_log
        union all
        select {WHO}, process_id, connection, tag, greatest(settled_ns, at_ns), -1 from held
        where not of_log and settled_ns is not null
    )
    select
        *, sum(change) over (mine rows {EARLIER}) as depth, lead(moment) over mine - moment as lasting_ns
    from changes
    window mine as (partition by {WHO}, process_id, connection, tag order by moment, change)
"""

# One row per handler that was seen to run.
HANDLERS: Final = f"""
    create table handler_runs as
    select
        {", ".join(f"t.{name}" for name in WHO.split(", "))}, t.process_id, p.operation_id, p.observed_ns, p.at_ns as begun_ns,
        p.at_ns + p.duration_ns as over_ns, p.duration_ns,
        regexp_matches(coalesce(p.error_type, ''), '{TIME}') as timed_out
    from led_to as l
    inner join timed as p on p.operation_id = l.effect_id
    inner join taken as t on t.operation_id = l.receive_id
    where l.handler and p.duration_ns is not null
"""

# One row per service and channel: how many handlers ran at once, and for how much of the time any did.
RUNS: Final = f"""
    with changes as (
        select {WHO}, process_id, begun_ns as moment, 1 as change from handler_runs
        union all
        select {WHO}, process_id, over_ns, -1 from handler_runs
    ), levels as (
        select
            *, sum(change) over (mine rows {EARLIER}) as depth, lead(moment) over mine - moment as lasting_ns
        from changes
        window mine as (partition by {WHO}, process_id order by moment, change)
    ), spans as (
        select {WHO}, process_id, max(greatest(at_ns, coalesce(settled_ns, 0), coalesce(over_ns, 0))) - min(at_ns) as span_ns
        from held
        group by {WHO}, process_id
    ), per_process as (
        select {WHO}, process_id, max(depth) as most, sum(lasting_ns) filter (depth > 0) as busy_ns
        from levels
        group by {WHO}, process_id
    )
    select {WHO}, cast(max(most) as bigint), sum(busy_ns) / nullif(sum(span_ns), 0)
    from per_process
    inner join spans using ({WHO}, process_id)
    group by {WHO}
"""

TIMES: Final = f"""
    select {WHO}, count(*), quantile_cont(duration_ns / 1e6, [0.5, 0.95]), max(duration_ns) / 1e6, count(*) filter (timed_out)
    from handler_runs
    group by {WHO}
"""

# One row per service and channel: its processes, the most of what one consumer held, and the limits of its connections.
LOADS: Final = f"""
    with bounded as (
        select
            h.*, b.name, case when not b.differs then b.bound end as bound, b.gap_ms
        from held as h
        left join bounds as b on b.connection_id = h.connection
    ), peaks as (
        select l.system, l.place, l.channel_kind, l.consumer_group, l.service,
            cast(max(l.depth) as bigint) as most,
            sum(l.lasting_ns) filter (l.depth >= b.bound and b.bound > 0 and not b.differs)
                / nullif(sum(l.lasting_ns), 0) as share
        from levels as l
        left join bounds as b on b.connection_id = l.connection
        group by l.system, l.place, l.channel_kind, l.consumer_group, l.service
    ), gaps as (
        select {WHO}, max(fetched_until_ns - at_ns) / 1e6 as longest
        from taken
        where log_offset is not null
        group by {WHO}
    )
    select
        {WHO}, count(distinct process_id), any_value(name), min(bound), max(bound), bool_or(name is not null and bound is null),
        min(gap_ms), bool_or(of_log), max(number) filter (of_log), any_value(p.most), any_value(p.share),
        count(settled_ns), any_value(g.longest), {EVIDENCE}
    from bounded
    left join peaks as p using ({WHO})
    left join gaps as g using ({WHO})
    group by {WHO}
    order by {WHO}
"""

# One row per service, channel and error that says that time ran out or that there was no room.
PRESSURES: Final = f"""
    with said as (
        select
            *,
            case
                when regexp_matches(error_type, '{TIME}') then 'time ran out'
                when regexp_matches(error_type, '{ROOM}') then 'no room'
            end as pressure
        from timed
        where kind in ('send', 'receive', 'settle', 'process', 'call', 'connect') and error_type is not null
    )
    select
        pressure, coalesce(system, ''), place, coalesce(channel_kind, ''), service, kind, error_type, {EVIDENCE}
    from said
    where pressure is not null
    group by pressure, coalesce(system, ''), place, coalesce(channel_kind, ''), service, kind, error_type
    order by all
"""


def loads(study: Study) -> tuple[Load, ...]:
    """Find what every consumer takes at a time. Needs the tables of `handling`."""
    for sql in (BOUNDS, HELD, LEVELS, HANDLERS):
        study.run(sql)
    key = len(WHO.split(", "))
    runs = {row[:key]: row[key:] for row in study.rows(RUNS)}
    times = {row[:key]: row[key:] for row in study.rows(TIMES)}
    return tuple(
        _load(row[:key], row[key:], runs.get(row[:key], (None, None)), times.get(row[:key], (0, None, None, 0)))
        for row in study.rows(LOADS)
    )


def pressures(study: Study) -> tuple[Pressure, ...]:
    """Find what ended for want of time or room. Needs `timed`."""
    return tuple(
        Pressure(kind, system, place, channel_kind, service, operation, error, evidence(rest))
        for kind, system, place, channel_kind, service, operation, error, *rest in study.rows(PRESSURES)
    )


def _load(key: tuple[Any, ...], row: tuple[Any, ...], runs: tuple[Any, ...], times: tuple[Any, ...]) -> Load:
    system, place, kind, group, service = key
    processes, name, least, most, unknown, gap_ms, of_log, fetched, held, share, settled, longest_gap, *rest = row
    limit = most if least == most and not unknown else None
    at_once, busy = runs
    handled, middle, longest, timed_out = times
    in_flight = fetched if of_log else held if settled else None
    at_limit = round(share or 0.0, 3) if limit and in_flight is not None and not of_log else None
    saturated, reason = _saturated(rest[-WIDTH], at_limit, busy, at_once)
    if of_log:
        reason = "what one fetch brings does not tell how busy it is"
    return Load(
        system=system, channel=place, channel_kind=kind, group=group, service=service, processes=processes, limit=limit,
        limit_name=name or "", in_flight=in_flight, at_limit=at_limit, at_once=at_once,
        busy=None if busy is None else round(min(1.0, busy), 3), handled=handled,
        p50_ms=_ms(middle and middle[0]), p95_ms=_ms(middle and middle[1]), longest_ms=_ms(longest), timed_out=timed_out,
        longest_gap_ms=_ms(longest_gap), gap_limit_ms=gap_ms, saturated=saturated, reason=reason, evidence=evidence(rest),
    )  # fmt: skip


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _saturated(
    receives: int, at_limit: float | None, busy: float | None, at_once: int | None
) -> tuple[bool | None, str]:
    """Whether a consumer has all that it can take, and why that is thought."""
    if receives < ENOUGH:
        return None, f"{receives} receives are too few to tell"
    if at_limit is not None:
        return at_limit >= SATURATED, f"it held as many as the limit allows for {at_limit:.0%} of its time"
    if busy is not None and at_once == 1:
        return busy >= SATURATED, f"its handler, one at a time, ran for {min(1.0, busy):.0%} of its time"
    return None, "no limit is known that it could have reached"
