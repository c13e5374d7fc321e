-- What is known of tests. Made where it is missing, too: a trace that was begun before there was this has room for it.

-- One row per beginning, and per end, of a test in the process that ran it.
create table if not exists msgtrace_store.recorded_tests (
    process_number integer not null,
    test_id        varchar not null,
    monotonic_ns   bigint not null,
    noted_at       timestamp_ns,
    outcome        varchar          -- of an end
);

-- One row per test and time that it ran.
create view if not exists tests as
with noted as (
    select
        *,
        lead(monotonic_ns) over following as next_ns,
        lead(noted_at) over following as next_at,
        lead(outcome) over following as next_outcome
    from msgtrace_store.recorded_tests
    window following as (partition by process_number order by monotonic_ns)
)
select
    n.test_id,
    p.process_id,
    n.noted_at as started_at,
    n.next_at as ended_at,
    n.monotonic_ns as started_ns,
    n.next_ns as ended_ns,
    n.next_outcome as outcome
from noted as n
left join processes as p using (process_number)
where n.outcome is null;

-- One row per operation and test that it belongs to.
create view if not exists test_operations as
with recursive
edges as (
    select send_id as source_id, receive_id as target_id, certainty from links where certainty <> 'guess'
    union
    -- What a test fetches itself is likely the cause of all that it does next, by the trace's rules: here it must be exact.
    select cause_id, effect_id, certainty
    from causes
    where
        certainty = 'exact'
        or (
            certainty = 'likely'
            and effect_id not in (select operation_id from msgtrace_store.operations where test_id is not null)
        )
),
-- By when it was, alone: in the process that ran the test, or in one that this process has started.
timed as (
    select operation_id, test_id, 'running' as method, 'exact' as certainty
    from msgtrace_store.operations
    where test_id is not null
    union all
    select o.operation_id, t.test_id, 'meanwhile', 'likely'
    from msgtrace_store.operations as o
    inner join processes as p on p.process_number = o.operation_id // 1000000000000
    inner join tests as t
        on t.process_id = p.facts ->> '$.tested_by'
        and o.monotonic_ns >= t.started_ns
        and (t.ended_ns is null or o.monotonic_ns < t.ended_ns)
    where o.test_id is null
),
-- What nothing is known to have caused begins a chain; what follows from it is of the same test, whenever it was.
followed as (
    select operation_id, test_id, method, certainty from timed where operation_id not in (select target_id from edges)
    union
    select
        e.target_id, f.test_id, 'chain',
        case when f.certainty = 'exact' and e.certainty = 'exact' then 'exact' else 'likely' end
    from followed as f
    inner join edges as e on e.source_id = f.operation_id
)
select operation_id, test_id, arg_min(method, certainty) as method, min(certainty) as certainty
from followed
group by operation_id, test_id
union all
select operation_id, test_id, method, certainty
from timed
where operation_id not in (select operation_id from followed);
