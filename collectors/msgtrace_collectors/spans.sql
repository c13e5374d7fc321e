-- What follows from what in services that only OpenTelemetry sees: the nearest span above, in the same process, that is an
-- operation. Spans between them are no operations, and lead from one to the other.

-- Trace files of before don't have it.
create table if not exists msgtrace_store.spans (
    process_number integer not null, span_id varchar not null, parent_span_id varchar, operation_id bigint
);

insert into causes
with recursive above as (
    select s.operation_id as effect_id, s.process_number, s.parent_span_id, 1 as depth
    from msgtrace_store.spans as s
    join linkable as e on e.id = s.operation_id and e.kind in ('send', 'settle', 'receive')
    where s.parent_span_id is not null
    union all
    select a.effect_id, p.process_number, p.parent_span_id, a.depth + 1
    from above as a
    join msgtrace_store.spans as p on p.process_number = a.process_number and p.span_id = a.parent_span_id
    where p.operation_id is null and p.parent_span_id is not null and a.depth < 100
)
select distinct p.operation_id, a.effect_id, 'span', 'exact'
from above as a
join msgtrace_store.spans as p on p.process_number = a.process_number and p.span_id = a.parent_span_id
where p.operation_id is not null and p.operation_id <> a.effect_id;

insert into settlements
select c.effect_id, p.receipt_id
from causes as c
join linkable as e on e.id = c.effect_id and e.kind = 'settle'
join linkable as p on p.id = c.cause_id and p.receipt_id is not null
where c.method = 'span';
