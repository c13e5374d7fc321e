-- What follows from what. One row per cause and effect. Method `context`: the effect happened while the cause was being
-- handled; `settlement`: the settlement names the message; the other methods narrow down what was fetched.
--
-- Bits of `state` (msgtrace.records): 1 settled before, 2 the handler had returned, 4 candidates out of one fetch,
-- 8 the last candidate is the enclosing handler, the others were fetched inside it, 16 in another context than the handler's.
--
-- A handler is called for one message: what its own code does is exactly that message's work; a task, thread or callback that
-- it has started may do another's (docs/decisions/0010-a-task-is-no-proof.md). A fetch only says that what follows
-- comes after it: a program may have two messages in hand. What follows a fetch is exact where the effect itself names the
-- message, and no other that the service has received (docs/decisions/0007-a-fetch-is-no-proof.md).

delete from causes;

create or replace temp table effects as
select
    r.effect_id, r.cause_id, r.candidates, r.state,
    e.kind as effect_kind, e.began_ns, e.message_key, e.correlation_id, e.body_digest, e.whole, e.body_size, e.service,
    e.process_number, e.receipt_id, e.delivery_tag
from msgtrace_store.recorded_causes as r
join linkable as e on e.id = r.effect_id;

-- Certainty of a handler as the cause: it is sure, unless the message was settled or the handler over before, or something
-- that it has started does it. The time of its end counts too: a fetch begun inside the handler may wait until after it.
-- Times are rounded to a microsecond.
create or replace temp macro handled(effect_kind, state, effect_ns, cause_ended_ns) as
    case
        when state & 2 <> 0 and (cause_ended_ns is null or effect_ns - cause_ended_ns > 5000000000) then 'guess'
        when effect_ns - cause_ended_ns > 5000000000 then 'guess'
        when state & (2 | 16) <> 0 or coalesce(effect_ns - cause_ended_ns > 1000, false) then 'likely'
        when effect_kind in ('process', 'settle') or state & 1 = 0 then 'exact'
        else 'likely'
    end;

-- One row per effect of what a handler has started: its handler, and the message that this handles. It may name that message.
create or replace temp table started as
select
    e.* exclude (candidates),
    1 as width,
    m.message_id as cause_message_id, m.correlation_id as cause_correlation_id, m.message_key as cause_key,
    m.body_digest as cause_digest, m.whole as cause_whole,
    handled(e.effect_kind, e.state, e.began_ns, c.began_ns + c.duration_ns) as otherwise
from effects as e
join linkable as c on c.id = e.cause_id and c.kind = 'process'
join linkable as m on m.id = c.receipt_id
where e.state & 16 <> 0 and e.effect_kind <> 'settle';

-- One cause that is no fetched message, or the receive that a handler was called with; and the enclosing handler of what
-- fetches more.
insert into causes
with single as (
    select effect_id, cause_id, state, effect_kind, began_ns, receipt_id from effects where cause_id is not null
    union all by name
    select effect_id, candidates[-1] as cause_id, state, effect_kind, began_ns, receipt_id
    from effects
    where state & 8 <> 0 and candidates is not null
)
select
    s.cause_id, s.effect_id, 'context',
    case
        when c.kind = 'receive' then 'exact'
        else handled(s.effect_kind, s.state, s.began_ns, c.began_ns + c.duration_ns)
    end
from single as s
join linkable as c on c.id = s.cause_id
where
    (c.kind <> 'receive' or (s.effect_kind = 'process' and s.receipt_id = s.cause_id))
    and s.effect_id not in (select effect_id from started);

-- One row per effect and message that was fetched before it.
create or replace temp table fetched as
with listed as (
    select
        * exclude (candidates, cause_id),
        case when candidates is null then [cause_id] when state & 8 <> 0 then candidates[:-2] else candidates end as candidates
    from effects
    where effect_kind <> 'process' or receipt_id is distinct from cause_id
)
select
    l.* exclude (candidates, candidate),
    c.id as cause_id, len(l.candidates) as width,
    c.message_id as cause_message_id, c.correlation_id as cause_correlation_id, c.message_key as cause_key,
    c.body_digest as cause_digest, c.whole as cause_whole, cast(null as varchar) as otherwise
from (select *, unnest(candidates) as candidate from listed) as l
join linkable as c on c.id = l.candidate and (c.kind = 'receive' or len(l.candidates) > 1);

-- A settlement that names what it settles follows from that, whatever was fetched last; one that settles very many has its
-- rows in `settlements` alone. A tag is one connection's; an offset or an entry may have been received again by another.
create or replace temp table named as
select s.settle_id as effect_id, s.receive_id as cause_id, count(*) over (partition by s.settle_id) as width
from settlements as s
where s.settle_id in (select effect_id from fetched where effect_kind = 'settle');

insert into causes
select
    n.cause_id, n.effect_id, 'settlement',
    case
        when e.delivery_tag is not null or e.receipt_id is not null or f.effect_id is not null then 'exact'
        else 'likely'
    end
from named as n
join effects as e on e.effect_id = n.effect_id
left join fetched as f on f.effect_id = n.effect_id and f.cause_id = n.cause_id
where n.width <= 20;

delete from fetched where effect_id in (select effect_id from named);

insert into fetched by name select * from started;

-- One row per service and id that messages name: the first two receives that carry it, as its own or as a correlation.
create or replace temp table named_ids as
select service, name, min(began_ns, 2) as received_ns
from (
    select service, id, began_ns, message_id as name from linkable where kind = 'receive' and message_id is not null
    union
    select service, id, began_ns, correlation_id from linkable where kind = 'receive' and correlation_id is not null
)
where name in (select correlation_id from fetched)
group by all;

-- One row per service and body that it fetched and sent on: the first two receives of it.
create or replace temp table passed_bodies as
select service, body_digest, min(began_ns, 2) as received_ns
from linkable
where kind = 'receive' and body_digest in (select body_digest from fetched where body_digest = cause_digest)
group by all;

-- One row per service and body: whether it is sent after different messages, as a constant is.
create or replace temp table constant_bodies as
select service, body_digest
from effects
where effect_kind = 'send' and body_digest in (select body_digest from passed_bodies)
group by all
having count(distinct coalesce(cause_id, effect_id)) > 1;

-- `proven`: nothing else that the service had received by then has that id, or that body of more than a word.
create or replace temp table candidates as
select
    f.effect_id, f.cause_id, f.width, f.effect_kind, f.otherwise,
    case
        when f.correlation_id in (f.cause_correlation_id, f.cause_message_id) then 'correlation'
        when f.body_digest = f.cause_digest then 'body'
        when f.message_key = f.cause_key then 'key'
    end as evidence,
    case evidence
        when 'correlation' then len(n.received_ns) = 1 or n.received_ns[2] > f.began_ns
        when 'body' then
            f.whole and f.cause_whole and f.body_size >= 16 and k.body_digest is null
            and (len(p.received_ns) = 1 or p.received_ns[2] > f.began_ns)
        else false
    end as proven,
    f.body_digest as effect_digest, f.cause_digest
from fetched as f
left join named_ids as n on n.service = f.service and n.name = f.correlation_id
left join passed_bodies as p on p.service = f.service and p.body_digest = f.body_digest
left join constant_bodies as k on k.service = f.service and k.body_digest = f.body_digest;

-- Content: a telling value (eight characters, or four digits, or more) at the top of both bodies and of no other candidate's.
create or replace temp table shared_content as
with asked as (
    select distinct effect_digest, cause_digest
    from candidates
    where effect_kind = 'send' and width > 1 and evidence is null and effect_digest is not null and cause_digest is not null
),
wanted as (
    select effect_digest as body_digest from asked union select cause_digest from asked
),
-- One row per body and telling value.
telling as (
    select distinct body_digest, value
    from (
        select b.body_digest, unnest(json_extract_string(b.document, '$.*')) as value
        from wanted
        join msgtrace_store.bodies as b using (body_digest)
        where json_type(b.document) = 'OBJECT'
    )
    where length(value) between 8 and 200 or (length(value) between 4 and 7 and try_cast(value as bigint) is not null)
)
select c.effect_id, c.cause_id
from candidates as c
join telling as e on e.body_digest = c.effect_digest
join telling as s on s.body_digest = c.cause_digest and s.value = e.value
where c.effect_kind = 'send' and c.width > 1 and c.evidence is null
qualify count(distinct c.cause_id) over (partition by c.effect_id, e.value) = 1;

-- The surest evidence that an effect has decides; of candidates that it does not tell apart, each is a guess.
insert into causes
with judged as (
    select
        c.effect_id, c.cause_id, c.width, c.proven, c.otherwise, coalesce(c.evidence, case when s.cause_id is not null then 'content' end) as evidence
    from candidates as c
    left join (select distinct effect_id, cause_id from shared_content) as s using (effect_id, cause_id)
),
ranked as (
    select
        *,
        case evidence when 'correlation' then 1 when 'body' then 2 when 'key' then 3 when 'content' then 3 else 4 end as strength
    from judged
),
best as (
    select * from ranked qualify strength = min(strength) over (partition by effect_id)
),
counted as (
    select *, count(*) over (partition by effect_id) as alike from best
)
select
    cause_id, effect_id, coalesce(evidence, 'context'),
    case
        when alike > 1 or (width > 1 and strength = 4) then 'guess'
        when proven then 'exact'
        when strength = 4 then coalesce(otherwise, 'likely')
        else 'likely'
    end
from counted
where alike <= 20;

-- One row: how many effects have too many candidates to name any.
create or replace temp table unknown_causes as
select count(distinct effect_id) as unknown_causes
from candidates
where effect_id not in (select effect_id from causes);
